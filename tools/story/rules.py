"""What the rules do, a short story each. Every line that is told was answered by the ledger; a wrong answer ends the demo."""
import urllib.parse

from stage import Failed, check_digit, party
from story.labels import GTIN
from story.telling import say, table
from story.work import Work

GLN = {name: digits + check_digit(digits) for name, digits in
       {"factory": "950600010000", "wholesaler": "950600040000", "pharmacy": "950600050000", "market": "950600060000"}.items()}


def code(serial, lot):
    return f"(01){GTIN}(17)281231(10){lot}(21){serial}"


def epc(serial):
    return f"https://id.gs1.org/01/{GTIN}/21/{serial}"


class Rules(Work):
    """A factory, a wholesaler, a pharmacy and a second pharmacy, each with a terminal, and the lines of one story."""

    def __init__(self, stage):
        super().__init__(stage)
        self.factory = stage.add_terminal("line-2", "Factory line 2", GLN["factory"])
        self.wholesaler = stage.add_terminal("wholesaler", "Wholesaler, gate 1", GLN["wholesaler"])
        self.pharmacy = stage.add_terminal("high-street", "High Street pharmacy", GLN["pharmacy"])
        self.market = stage.add_terminal("market", "Market pharmacy", GLN["market"])
        self.rows = []

    def do(self, config, task, *arguments, codes):
        self.scan(config, task, *arguments, codes=codes)
        self.sync(config)

    def deliver(self, serials, lot):
        """From the factory to the pharmacy's shelf."""
        codes = [code(serial, lot) for serial in serials]
        self.do(self.factory, "commission", codes=codes)
        self.do(self.factory, "ship", "--to", party(GLN["pharmacy"]), codes=codes)
        self.do(self.pharmacy, "receive", "--from", party(GLN["factory"]), codes=codes)

    def pack(self, serial):
        status, answer = self.stage.ask("/packs/" + urllib.parse.quote(epc(serial), safe=""))
        if status != 200:
            raise Failed(f"the ledger knows nothing of {serial}: {answer}")
        return answer

    def alerts(self, serial):
        _, answer = self.stage.ask("/alerts?pack=" + urllib.parse.quote(epc(serial), safe=""))
        return [alert["kind"] for alert in answer["alerts"] if alert.get("pack") == epc(serial)]

    def tell(self, what, serial, colour=None, state=None, alert=None, left=None):
        """One line of the story: what happened, and what the ledger answers now; what is expected must be so."""
        verdict, pack, kinds = self.stage.verify(epc(serial))["verdict"], self.pack(serial), self.alerts(serial)
        told = {"colour": verdict["colour"], "state": pack["state"], "left": pack.get("quantity_left"), "alerts": kinds}
        if (colour and told["colour"] != colour) or (state and told["state"] != state) or (left is not None and told["left"] != left) \
                or (alert and alert not in kinds) or (alert is False and kinds):
            raise Failed(f"{what}: the ledger answers {told} ({verdict['reason']['en']})")
        self.rows.append((what, told["colour"], told["state"], "" if told["left"] is None else told["left"], ", ".join(dict.fromkeys(kinds)),
                          verdict["reason"]["en"]))

    def end_story(self, title):
        say(f"\n{title}\n")
        table([("what happened", "answer", "state", "left", "alerts", "reason"), *self.rows])
        self.rows = []


def split_pack(rules):
    rules.deliver(["SPLIT1"], "L2026B")
    rules.tell("box of 24 tablets on the shelf", "SPLIT1", "green", left=24, alert=False)
    for units, left in ((6, 18), (10, 8)):
        rules.do(rules.pharmacy, "dispense", "--units", str(units), codes=[code("SPLIT1", "L2026B")])
        rules.tell(f"{units} tablets dispensed, the box's own code scanned again", "SPLIT1", state="part_dispensed", left=left, alert=False)
    rules.undo(rules.pharmacy)
    rules.sync(rules.pharmacy)
    rules.tell("the last dispensing taken back", "SPLIT1", state="part_dispensed", left=18, alert=False)
    rules.do(rules.pharmacy, "dispense", "--units", "18", codes=[code("SPLIT1", "L2026B")])
    rules.tell("the remaining 18 dispensed", "SPLIT1", "red", "dispensed", left=0, alert=False)
    rules.do(rules.pharmacy, "dispense", "--units", "2", codes=[code("SPLIT1", "L2026B")])
    rules.tell("2 more than the box holds", "SPLIT1", "red", alert="double_dispense", left=0)
    rules.end_story("A split pack: its code stays lawful until its content is used up.")


def late_data(rules):
    packs = ["LATE1", "LATE2"]
    codes = [code(serial, "L2026C") for serial in packs]
    rules.scan(rules.factory, "commission", codes=codes)  # signed, but the factory's line is down
    rules.do(rules.pharmacy, "receive", "--from", party(GLN["factory"]), codes=codes)
    rules.tell("received; the maker's data are still in his terminal", "LATE1", "amber", "quarantined")
    rules.sync(rules.factory)
    rules.tell("the data arrive a little later: released by itself", "LATE1", "green", "in_stock")
    rules.end_story("Late data: product without data waits in quarantine, and is no accusation.")


def sold_pack_in_trade(rules):
    rules.deliver(["AGAIN1"], "L2026B")
    rules.do(rules.pharmacy, "dispense", codes=[code("AGAIN1", "L2026B")])
    rules.tell("sold to a patient", "AGAIN1", "red", "dispensed", alert=False)
    rules.do(rules.market, "receive", codes=[code("AGAIN1", "L2026B")])
    rules.tell("another pharmacy takes it in as goods", "AGAIN1", "red", alert="sold_pack_in_trade")
    rules.end_story("A sold pack back in trade (回流): the second buyer is told at once.")


def corrected_event(rules):
    rules.deliver(["WRONG1", "RIGHT1"], "L2026B")
    rules.do(rules.pharmacy, "dispense", codes=[code("WRONG1", "L2026B")])
    rules.tell("the wrong box is scanned as dispensed", "WRONG1", "red", "dispensed")
    rules.undo(rules.pharmacy)
    rules.do(rules.pharmacy, "dispense", codes=[code("RIGHT1", "L2026B")])
    rules.tell("an error declaration takes that back", "WRONG1", "green", "in_stock", alert=False)
    rules.tell("the right box is dispensed", "RIGHT1", "red", "dispensed", alert=False)
    _, way = rules.stage.ask("/packs/" + urllib.parse.quote(epc("WRONG1"), safe="") + "/provenance")
    steps = [step["event"]["bizStep"] + (" (declared an error)" if "errorDeclaration" in step["event"] else "") for step in way["steps"]]
    rules.end_story("A corrected event: nothing is rubbed out; the way of the wrong box is " + " > ".join(steps) + ".")


def recall(rules):
    lot, packs = "L2026R", ["CALLED1", "CALLED2", "CALLED3"]
    rules.deliver(packs, lot)
    rules.do(rules.pharmacy, "dispense", codes=[code("CALLED1", lot)])
    consortium = rules.stage.path("consortium")
    rules.stage.admin("recall", "begin", consortium, "--operator", "operator", "--id", "R-2026-7", "--product", GTIN, "--lot", lot, "--level", "1",
                      "--depth", "consumer", "--reason-en", "Foreign particles in some capsules", "--reason-zh", "部分胶囊中有异物",
                      "--url", f"https://127.0.0.1:{rules.stage.ledger_port}")
    rules.tell("in stock when its lot is recalled", "CALLED2", "red", "in_stock")
    rules.tell("dispensed before the recall", "CALLED1", "red", "dispensed")
    rules.do(rules.pharmacy, "dispense", codes=[code("CALLED3", lot)])
    rules.tell("dispensed in spite of it", "CALLED3", "red", "dispensed", alert="recalled")
    rules.do(rules.pharmacy, "send-back", "--to", party(GLN["factory"]), codes=[code("CALLED2", lot)])
    _, reach = rules.stage.ask("/recalls/R-2026-7/reach")
    states = {state: count for state, count in reach["total"]["states"].items() if count}
    if reach["total"]["covered"] != 3 or reach["total"]["done"] != 1 or states != {"dispensed": 2, "sent_back": 1}:
        raise Failed(f"the recall's reach is told as {reach['total']}")
    rules.end_story(f"A recall of lot {lot}: every counter knows at once; reach {reach['total']['covered']} packs, "
                    + ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in states.items())
                    + f"; {reach['progress']:.0%} done.")


STORIES = (split_pack, late_data, sold_pack_in_trade, corrected_event, recall)


def play(stage):
    say("\n· four more terminals; the rules, a story each")
    rules = Rules(stage)
    for story in STORIES:
        story(rules)
    return [story.__name__ for story in STORIES]
