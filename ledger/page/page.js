"use strict";

// Every text of the page in both languages; what the ledger says comes in both from there.
const TEXTS = {
  en: {
    ask: "Scan or type the code of the pack", check: "Check",
    hint: "GS1 DataMatrix, GS1-128, Digital Link, SSCC or a 20-digit trace code.",
    way: "The pack's way",
    foot: "The answer comes from signed, unalterable records. It does not replace the look at the seal.",
    green: "Genuine", amber: "Wait", red: "Stop", bad: "Not readable", away: "No answer",
    badAdvice: "Scan again, or type the code as printed below the symbol.",
    awayReason: "The ledger cannot be reached. Nothing is known about this pack right now.",
    awayAdvice: "Check the network and scan again.",
    checking: "Checking…", product: "Product", id: "Identity", lot: "Lot", expiry: "Expiry", state: "State", left: "Left",
    place: "Place", container: "Inside", alerts: "Alerts", recall: "Recall", instructions: "What to do",
    level: (n) => `class ${n}`,
    standing: (a) => `As of height ${a.height}, ${time(a.height_time, "en")}, ${a.standing === "final" ? "final" : "ordered, not final yet"}` +
      (a.age_ms > 0 ? `; these data are ${Math.round(a.age_ms / 1000)} s old.` : "."),
    of: "of", by: "signed by", with: "with", proof: "proof", alerted: "raised an alert", mistaken: "declared in error",
    states: { unknown: "unknown", commissioned: "made", in_stock: "in stock", in_transit: "on the way", part_dispensed: "part dispensed",
      dispensed: "dispensed", returned: "returned by a patient", quarantined: "quarantined", recalled: "recalled",
      decommissioned: "taken out of use", destroyed: "destroyed", exported: "exported", stolen: "stolen", sample: "sample",
      checked_out: "checked out", free_sample: "free sample", locked: "locked", withdrawn: "withdrawn" },
    steps: { commissioning: "Made and given its code", packing: "Packed", unpacking: "Unpacked", shipping: "Sent off", receiving: "Received",
      dispensing: "Dispensed", decommissioning: "Taken out of use", destroying: "Destroyed", inspecting: "Inspected", holding: "Set aside",
      cycle_counting: "Counted", storing: "Stored", retail_selling: "Sold" },
    returned: "Taken back",
  },
  zh: {
    ask: "请扫描或输入药品包装上的码", check: "查询",
    hint: "支持 GS1 DataMatrix、GS1-128、Digital Link、SSCC 或 20 位药品追溯码。",
    way: "流向记录",
    foot: "结果来自经签名、不可篡改的记录。请同时检查包装封口。",
    green: "正品", amber: "请稍候", red: "停止发药", bad: "无法识别", away: "无应答",
    badAdvice: "请重新扫码，或手工输入条码下方的数字。",
    awayReason: "无法连接账本，目前无法判断该药品。",
    awayAdvice: "请检查网络后重新扫码。",
    checking: "查询中…", product: "药品", id: "标识", lot: "批号", expiry: "有效期至", state: "状态", left: "剩余",
    place: "位置", container: "所在包装", alerts: "预警", recall: "召回", instructions: "处理要求",
    level: (n) => `${["", "一", "二", "三"][n]}级召回`,
    standing: (a) => `截至高度 ${a.height}，${time(a.height_time, "zh")}，${a.standing === "final" ? "已最终确认" : "已排序，尚未最终确认"}` +
      (a.age_ms > 0 ? `；数据已有 ${Math.round(a.age_ms / 1000)} 秒。` : "。"),
    of: "/", by: "签名：", with: "随", proof: "凭证", alerted: "触发预警", mistaken: "已声明有误",
    states: { unknown: "未知", commissioned: "已赋码", in_stock: "在库", in_transit: "在途", part_dispensed: "部分发出", dispensed: "已售出",
      returned: "患者退回", quarantined: "隔离", recalled: "已召回", decommissioned: "已注销", destroyed: "已销毁", exported: "已出口",
      stolen: "失窃", sample: "抽检", checked_out: "已转出", free_sample: "免费样品", locked: "已锁定", withdrawn: "已撤市" },
    steps: { commissioning: "生产赋码", packing: "装箱", unpacking: "拆箱", shipping: "发货出库", receiving: "收货入库", dispensing: "发药",
      decommissioning: "注销", destroying: "销毁", inspecting: "检查", holding: "隔离", cycle_counting: "盘点", storing: "入库存放", retail_selling: "零售" },
    returned: "退回",
  },
};

const element = (id) => document.getElementById(id);
let language = (localStorage.getItem("language") || navigator.language || "en").startsWith("zh") ? "zh" : "en";
let shown = null;   // what the last answer was, to be drawn again in the other language
let question = 0;   // numbers the questions: a late answer to an older one is not shown

function time(text, lang) {
  return new Date(text).toLocaleString(lang === "zh" ? "zh-CN" : "en-GB", { dateStyle: "medium", timeStyle: "short" });
}

// The URIs of EPCIS as people write them.
function plain(uri) {
  const parts = [[/\/01\/(\d{14})\/21\/([^/?]+)$/, (m) => `GTIN ${m[1]} · SN ${decodeURIComponent(m[2])}`],
    [/\/00\/(\d{18})$/, (m) => `SSCC ${m[1]}`], [/\/41[47]\/(\d{13})(?:\/254\/([^/?]+))?$/, (m) => `GLN ${m[1]}${m[2] ? ` · ${decodeURIComponent(m[2])}` : ""}`],
    [/^urn:packtrail:cn:trace:(\d{20})$/, (m) => m[1]]];
  for (const [pattern, text] of parts) {
    const match = pattern.exec(uri);
    if (match) return text(match);
  }
  return uri;
}

function add(parent, tag, text, className) {
  const child = document.createElement(tag);
  child.textContent = text;   // always text: a label may hold anything
  if (className) child.className = className;
  parent.append(child);
  return child;
}

function drawLanguage() {
  const t = TEXTS[language];
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = t[node.dataset.text];
  const toggle = element("language");
  toggle.textContent = language === "zh" ? "English" : "中文";
  toggle.setAttribute("aria-label", language === "zh" ? "Switch to English" : "切换到中文");
}

function drawVerdict(colour, headline, reason, advice) {
  const answer = element("answer");
  answer.hidden = false;
  answer.dataset.colour = colour;
  element("headline").textContent = headline;
  element("reason").textContent = reason;
  element("advice").textContent = advice;
}

function drawFacts(pack) {
  const t = TEXTS[language];
  const facts = element("facts");
  facts.replaceChildren();
  const rows = [[t.product, pack.product && pack.product[language]], [t.id, plain(pack.id)], [t.state, t.states[pack.state] || pack.state], [t.lot, pack.lot], [t.expiry, pack.expiry],
    [t.left, pack.content ? `${pack.quantity_left} ${t.of} ${pack.content}` : null], [t.place, pack.place && plain(pack.place)],
    [t.container, pack.containers.map(plain).join(" ‹ ")], [t.alerts, pack.alerts || null],
    [t.recall, pack.recall && [pack.recall.id, t.level(pack.recall.level), pack.recall.reason[language], pack.recall.lots.join(", ")].filter(Boolean).join(" · ")],
    [t.instructions, pack.recall && pack.recall.instructions && pack.recall.instructions[language]]];
  for (const [name, value] of rows) {
    if (!value) continue;
    add(facts, "dt", name);
    add(facts, "dd", String(value));
  }
}

function drawWarnings(list) {
  const warnings = element("warnings");
  warnings.replaceChildren();
  for (const text of list) add(warnings, "li", text);
  warnings.hidden = list.length === 0;
}

function drawSteps(steps) {
  const t = TEXTS[language];
  const list = element("steps");
  list.replaceChildren();
  element("way").hidden = !steps || steps.length === 0;
  for (const step of steps || []) {
    const event = step.event || {};
    const item = add(list, "li", "", step.alerted ? "alerted" : "");
    const name = event.bizStep === "receiving" && event.disposition === "returned" ? t.returned : t.steps[event.bizStep] || event.bizStep || event.type;
    add(item, "strong", name + (step.alerted ? ` — ${t.alerted}` : "") + (step.declared_in_error ? ` — ${t.mistaken}` : ""));
    add(item, "div", [event.eventTime && time(event.eventTime, language), event.readPoint && plain(event.readPoint.id),
      step.via && `${t.with} ${plain(step.via)}`].filter(Boolean).join(" · "), "where");
    const who = add(item, "div", `${t.by} ${step.signer.name || step.signer.kid.slice(0, 16)} · `, "who");
    const link = add(who, "a", t.proof);
    link.href = `/entries/${step.statement}/receipt`;
    link.download = `${step.statement.slice(0, 16)}.receipt.cose`;
  }
}

function draw() {
  drawLanguage();
  if (!shown) return;
  const t = TEXTS[language];
  if (shown.kind === "answer") {
    const { verdict, pack } = shown.answer;
    drawVerdict(verdict.colour, t[verdict.colour], verdict.reason[language], verdict.advice[language]);
    drawFacts(pack);
    drawWarnings(shown.answer.warnings);
    element("standing").textContent = t.standing(shown.answer);
    drawSteps(shown.steps);
    return;
  }
  if (shown.kind === "checking") drawVerdict("", t.checking, "", "");
  if (shown.kind === "bad") drawVerdict("amber", t.bad, shown.detail, t.badAdvice);
  if (shown.kind === "away") drawVerdict("amber", t.away, t.awayReason, t.awayAdvice);
  element("facts").replaceChildren();
  element("standing").textContent = "";
  drawWarnings([]);
  drawSteps([]);
}

async function json(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(8000) });
  return { status: response.status, body: await response.json() };
}

async function ask(code) {
  const number = ++question;
  const show = (state) => {
    if (number !== question) return;
    shown = state;
    draw();
  };
  show({ kind: "checking" });
  try {
    const { status, body } = await json(`/verify/scan?code=${encodeURIComponent(code)}`);
    if (status >= 500) return show({ kind: "away" });
    if (status !== 200) return show({ kind: "bad", detail: body.detail || body.title || String(status) });
    show({ kind: "answer", answer: body, steps: [] });
    // The verdict does not wait for the way, and stands without it.
    const way = await json(`/packs/${encodeURIComponent(body.pack.id)}/provenance`).catch(() => null);
    if (way && way.status === 200) show({ kind: "answer", answer: body, steps: way.body.steps });
  } catch {
    show({ kind: "away" });
  }
}

const input = element("code");

// Wedge scanners type GS as a control character that a text field would swallow.
input.addEventListener("keydown", (event) => {
  const gs = (event.ctrlKey && (event.key === "]" || event.code === "BracketRight")) || event.key === "\u001d";
  if (!gs) return;
  event.preventDefault();
  input.setRangeText("\u001d", input.selectionStart, input.selectionEnd, "end");
});

element("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = input.value.trim();
  if (!code) return;
  ask(code);
  input.select();
});

// Always ready for the next scan: typing anywhere goes into the field.
document.addEventListener("keydown", (event) => {
  if (document.activeElement !== document.body || event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
  input.focus();
  input.select();
});

element("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  draw();
  input.focus();
});

draw();
const given = new URLSearchParams(location.search).get("code");
if (given) {
  input.value = given;
  ask(given);
}
