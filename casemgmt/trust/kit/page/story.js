// What the entries say happened to each exhibit, and the three signs. Nothing here is believed before its step holds.
const plain = value => typeof value === "string" && value ? shown(value, 300) : value == null || value === "" ? "–" : shown(JSON.stringify(value), 300);
const person = value => plain(value?.name) + (value?.badge ? " (" + plain(value.badge) + ")" : "");
const state = value => ({ intact: ["intact"], damaged: ["damaged"], missing: ["missing_seal"], differs: ["differs"] })[value] ?? ["no_state"];

function inWords(event) {
  const { data } = event, seal = data.seal ?? {};
  const both = [person(data.from), person(data.to)];
  switch (event.type) {
    case "custody:exhibit:registered": return ["registered", person(data.holder ?? event.actor), plain(data.seal)];
    case "custody:handover:offered": return ["offered", ...both, plain(seal.giver)];
    case "custody:handover:accepted": return ["accepted", ...both, plain(seal.receiver), state(seal.state)];
    case "custody:handover:refused": return ["h_refused", ...both, plain(seal.receiver), state(seal.state)];
    case "custody:handover:withdrawn": return ["withdrawn", ...both];
    case RECEIVED: return ["received", plain(data.name)];
    default: return ["other", plain(event.type)];
  }
}

function exhibits(found) {
  const list = [];
  for (const [stream, chain] of found.streams ?? []) {
    if (!stream.startsWith("exhibit:")) continue;
    const number = stream.slice(8), one = { number: shown(number), description: "", holder: "", seal: null, remark: false, chain: [] };
    let order = "";
    for (const link of chain) {
      if (link.at > order) order = link.at; // the chain counts, whatever a clock said
      if (!link.bytes) { one.remark = true; one.holder = ""; one.chain.push({ order, at: "", words: ["withheld_entry"], notes: [] }); continue; }
      const { data } = link, custody = link.type.startsWith("custody:handover:"), notes = [];
      if (link.type === "custody:exhibit:registered") {
        one.description = plain(data.description);
        one.holder = person(data.holder ?? link.actor);
        if (data.seal) one.seal = one.seal ?? "recorded";
      }
      if (link.type === "custody:exhibit:disputed") one.disputed = one.remark = true;
      if (link.type === "custody:handover:accepted") one.holder = person(data.to);
      if (custody && typeof data.seal?.state === "string") one.seal = data.seal.state;
      if (custody && data.discrepancy) { one.remark = true; notes.push(["discrepancy", plain(data.discrepancy)]); }
      if (link.checked) notes.push([link.checked[0], plain(link.checked[1])]);
      else if (custody && !data.signature?.key) notes.push(["session"]);
      one.chain.push({ order, at: link.at, by: person(link.actor), words: inWords(link), notes });
    }
    for (const { event } of found.receipts ?? []) {
      if (event.data.exhibit === number) one.chain.push({ order: event.at, at: event.at, by: person(event.actor), words: inWords(event), notes: [] });
    }
    one.chain.sort((a, b) => a.order < b.order ? -1 : a.order > b.order ? 1 : 0);
    list.push(one);
  }
  return list.sort((a, b) => a.number < b.number ? -1 : 1);
}

// Three signs, each from its own steps; they are never added up.
function signs(report, list) {
  const outcome = number => report.results[number - 1].outcome;
  const judge = (...steps) => steps.some(step => outcome(step) === "failed") ? "bad" : steps.some(step => outcome(step) === "not_checked") ? "open" : "ok";
  const files = judge(1, 2, 3, 4, 8, 9), custody = judge(6, 7, 10), whole = judge(6, 7, 8);
  const signed = report.results[9].finding;
  const count = report.found.manifest ? [...report.found.manifest.keys()].filter(path => !REPORT.test(path)).length : 0;
  const names = some => some.map(one => one.number).join(", ");
  const broken = list.filter(one => ["damaged", "missing", "differs"].includes(one.seal));
  const bare = list.filter(one => one.remark || one.seal !== "intact");
  const seal = whole !== "ok" || list.every(one => !one.seal) ? "open" : broken.length ? "bad" : bare.length ? "warn" : "ok";
  const hidden = list.flatMap(one => one.chain).filter(({ words }) => words[0] === "withheld_entry").length; // any of them may be a hand-over
  const disputed = list.filter(one => one.disputed).length;
  const weak = custody === "ok" && (signed[2] || signed[3] || !signed[1] || hidden || disputed);
  return [
    ["file", files, ["file_" + files, count]],
    ["custody", weak ? "warn" : custody, ["custody_" + (weak ? "warn" : custody), list.length, signed[1], signed[2], hidden, signed[3], disputed]],
    ["seal", seal, ["seal_" + seal, seal === "ok" ? list.length : names(seal === "bad" ? broken : bare)]],
  ];
}

function limits(report) {
  const { found } = report, said = [];
  if (!report.own) said.push(["l_key"]);
  if (!report.own.includes(" ") || !found.witnessed?.length) said.push(["l_witness"]);
  if (found.leftOut) said.push(["l_left", found.leftOut]);
  return [...said, ["l_true"], ["l_later"]];
}
