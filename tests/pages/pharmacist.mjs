// The pharmacist's page in a real browser: each colour, both languages, keyboard only, a phone's width, the line down.
// TAP on standard output; screenshots go to the directory in PACKTRAIL_SCREENSHOTS, if it is set.
//   node pharmacist.mjs BUILD-DIR
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import path from "node:path";
import readline from "node:readline";

const here = path.dirname(fileURLToPath(import.meta.url));
const GTIN = "09506000134352";
const GS = "\u001d";
const code = (serial) => `(01)${GTIN}(17)281231(10)L1(21)${serial}`;

let chromium;
try {
  ({ chromium } = await import("playwright-core"));
} catch {
  console.log("1..0 # SKIP playwright-core is not installed (npm ci in tests/pages)");
  process.exit(0);
}

const stage = spawn("python3", [path.join(here, "stage_with_packs.py"), process.argv[2]], { stdio: ["pipe", "pipe", "inherit"] });
const lines = readline.createInterface({ input: stage.stdout })[Symbol.asyncIterator]();
const first = await lines.next();
if (first.done) {
  console.log("1..1\nnot ok 1 - the stage could not be set");
  process.exit(1);
}
const { page: address } = JSON.parse(first.value);

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

function must(condition, why) {
  if (!condition) throw new Error(why);
}

async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
  page.on("request", (request) => request.url().startsWith(address) || page.problems.push(`asks another host: ${request.url()}`));
  await page.goto(address);
  return page;
}

async function keep(page, name) {
  if (process.env.PACKTRAIL_SCREENSHOTS) await page.screenshot({ path: path.join(process.env.PACKTRAIL_SCREENSHOTS, `${name}.png`), fullPage: true });
}

// As a wedge scanner does: fast keystrokes and Enter, wherever the focus is.
async function scan(page, text) {
  for (const part of text.split(/(\u001d)/)) {
    if (part === GS) await page.keyboard.press("Control+BracketRight");
    else if (part) await page.keyboard.type(part);
  }
  await page.keyboard.press("Enter");
}

async function expectAnswer(page, colour, headline) {
  await page.waitForFunction((wanted) => document.getElementById("answer").dataset.colour === wanted, colour, { timeout: 10000 });
  const shown = await page.textContent("#headline");
  must(shown === headline, `the headline is "${shown}", not "${headline}"`);
  must((await page.textContent("#reason")).length > 4 && (await page.textContent("#advice")).length > 4, "reason and advice must be told");
}

const cases = {
  async "a received pack is green, with its way and proofs"() {
    const page = await open();
    await scan(page, code("P0"));
    await expectAnswer(page, "green", "Genuine");
    await page.waitForSelector("#steps li");
    must((await page.locator("#steps li").count()) === 4, "commissioned, packed, sent, received");
    must((await page.textContent("#facts")).includes("L1"), "the lot is told");
    must((await page.textContent("#standing")).includes("height"), "height and age are told");
    const proof = await page.getAttribute("#steps li:first-child a", "href");
    must((await page.request.get(new URL(proof, address).href)).ok(), "the proof can be fetched");
    await keep(page, "green-en");
    must(page.problems.length === 0, page.problems.join("; "));
  },
  async "a sold pack and an unknown one are red, one on the way is amber"() {
    const page = await open();
    await scan(page, code("P1"));
    await expectAnswer(page, "red", "Stop");
    must((await page.textContent("#reason")).includes("already been dispensed"), "the reason is told");
    await keep(page, "red-en");
    await scan(page, code("NOBODY"));
    await page.waitForFunction(() => document.getElementById("reason").textContent.includes("No manufacturer"));
    must((await page.locator("#steps li").count()) === 0, "the way of the pack before is gone");
    await scan(page, code("P3"));
    await expectAnswer(page, "amber", "Wait");
    await keep(page, "amber-en");
  },
  async "a recalled pack tells the recall, its class, the reason and what to do"() {
    const page = await open();
    await scan(page, code("R1").replace("(10)L1", "(10)BAD"));
    await expectAnswer(page, "red", "Stop");
    const reason = await page.textContent("#reason");
    must(reason.includes("2026-17") && reason.includes("class 1") && reason.includes("assay out of range"), reason);
    const facts = await page.textContent("#facts");
    must(facts.includes("2026-17") && facts.includes("send it back"), facts);
    await keep(page, "recalled-en");
    await page.click("#language");
    must((await page.textContent("#reason")).includes("一级召回") && (await page.textContent("#facts")).includes("请退回"), "all of it in Chinese, too");
    await keep(page, "recalled-zh");
    must(page.problems.length === 0, page.problems.join("; "));
  },
  async "Chinese and English can be changed at any time, and the choice stays"() {
    const page = await open({ locale: "zh-CN" });
    await scan(page, "81234567890123456789");
    await expectAnswer(page, "green", "正品");
    await page.waitForSelector("#steps li");
    await keep(page, "green-zh");
    await page.click("#language");
    must((await page.textContent("#headline")) === "Genuine", "the answer is in English now");
    await page.reload();
    must((await page.textContent("#ask button")) === "Check", "the choice stays");
    must((await page.getAttribute("html", "lang")) === "en", "the page says its language");
    await page.click("#language");
    const text = await page.textContent("main");
    must(!/[a-z]{4,}/.test(text.replace(/GS1|DataMatrix|Digital Link|SSCC/g, "")), `English is left on the Chinese page: ${text}`);
  },
  async "the separator of a wedge scanner is understood, and typing anywhere finds the field"() {
    const page = await open();
    await page.evaluate(() => document.activeElement.blur());
    await scan(page, `]d201${GTIN}1728123110L1${GS}21P0`);
    await expectAnswer(page, "green", "Genuine");
  },
  async "what cannot be read is said as such, not as a fake"() {
    const page = await open();
    await scan(page, "(01)09506000134353(21)X");
    await expectAnswer(page, "amber", "Not readable");
    await scan(page, "6901234567892");
    await page.waitForFunction(() => document.getElementById("reason").textContent.includes("product code"));
    await scan(page, "<img src=x onerror=alert(1)>");
    await expectAnswer(page, "amber", "Not readable");
    must((await page.locator("main img").count()) === 0, "a label's text must stay text");
    await keep(page, "not-readable-en");
  },
  async "it fits a phone, and a Digital Link leads to it"() {
    const page = await open({ viewport: { width: 360, height: 740 }, colorScheme: "dark" });
    await page.goto(`${address}01/${GTIN}/21/P0`);
    await expectAnswer(page, "green", "Genuine");
    await page.waitForSelector("#steps li");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    must(!wide, "nothing may stick out sideways");
    await keep(page, "phone-dark");
  },
  async "when the ledger is away it says so, and never green"() {
    const page = await open();
    stage.stdin.write("stop-ledger\n");
    await lines.next();
    await scan(page, code("P0"));
    await expectAnswer(page, "amber", "No answer");
    await keep(page, "away-en");
  },
};

console.log(`1..${Object.keys(cases).length}`);
let number = 0;
for (const [name, run] of Object.entries(cases)) {
  number++;
  try {
    await run();
    console.log(`ok ${number} - ${name}`);
  } catch (error) {
    console.log(`not ok ${number} - ${name}\n# ${String(error).split("\n").join("\n# ")}`);
  }
}
await browser.close();
stage.stdin.end();
await once(stage, "exit");
