"""What staff do at their terminals, by the real program."""
import json

from stage import Failed, run


class Work:
    """The terminals of one stage; counts what they sign."""

    def __init__(self, stage):
        self.stage = stage
        self.statements = 0
        self.last_statement = None

    def scan(self, config, task, *arguments, sources=(), codes=None, allowed=(0,)):
        """The terminal reads and signs; gives back its lines."""
        command = [self.stage.scanner, "--config", config, "scan", "--task", task, *arguments, *sources]
        if codes is not None:
            command += ["--codes", "-"]
        out = run(command, input="\n".join(codes) + "\n" if codes is not None else None, allowed=allowed)
        lines = [json.loads(line) for line in out.splitlines()]
        signed = [line for line in lines if "statement" in line]
        self.statements += len(signed)
        self.last_statement = signed[-1]["statement"] if signed else self.last_statement
        unread = [line for line in lines if line.get("outcome") in ("rejected", "unreadable", "no_symbol")]
        if unread and 1 not in allowed:
            raise Failed(f"the terminal could not read {unread}")
        return lines

    def sync(self, config):
        run([self.stage.scanner, "--config", config, "sync", "--timeout", "60"])

    def undo(self, config):
        """Takes back the last event that the terminal signed."""
        line = json.loads(run([self.stage.scanner, "--config", config, "undo"]))
        self.statements += 1
        self.last_statement = line["statement"]
