// A stub of the backend that tests control: window.stub. Replies are as those of PageBackend.
window.stub = {
  classes: ["cat", "dog", "bird"],
  texts: Array.from({ length: 30 }, (_, i) => `row ${i}`),
  contents: {}, // of rows that are not texts
  withheld: new Set(), // rows whose content comes only with `show`
  online: true,
  mute: false, // true: no reply is sent
  ms: 0, // how long a reply takes
  refuse: null, // (message) => an error or nothing
  received: [], // all messages, lost ones too
  labels: new Map(), // row -> answers; the last one counts
  log: [], // rows, in the order of the answers
  keys: new Set(),
  next: 0,
  full: null, // the content of a picture at full size
  earlier: [], // answered rows from before the page was opened, newest first: { id, kind, label }
  state: { title: "Animals", multilabel: false, lease_seconds: 1800 },
};

// Tests stop the clock where it matters how soon one key follows another.
window.clock = null;
window.runningClock ??= performance.now.bind(performance);
performance.now = () => clock ?? runningClock();

// Return the keys of a list of classes, from the same table as the backend's.
async function keysOf(classes) {
  const list = JSON.stringify(classes);
  window.described ??= new Map();
  if (!described.has(list)) described.set(list, await window.describeKeys(classes));
  return described.get(list);
}

window.send = async (sent) => {
  const message = structuredClone(sent);
  stub.received.push(message);
  if (!stub.online) throw new Error("offline");
  if (stub.mute) return new Promise(() => {});
  if (stub.ms) await new Promise((resolve) => setTimeout(resolve, stub.ms));
  const refusal = stub.refuse?.(message);
  const reply = refusal ? { ok: false, retry: false, ...refusal } : { ok: true, ...answerTo(message) };
  const labeled = [...stub.labels.values()].filter((answers) => answers.at(-1)?.kind === "label");
  const state = {
    n_rows: stub.texts.length, n_labeled: labeled.length, n_skipped: 0, n_unknown: 0,
    mine: labeled.length, counts: stub.classes.map((label) => [label, 0]), accuracy: null,
    curve: [], stop_reason: "", problem: "", fitting: false, ...stub.state,
  };
  const keys = await keysOf(stub.classes);
  return structuredClone({ ...reply, state, classes: stub.classes, keys });
};

function contentOf(id) {
  return stub.contents[id] ?? { type: "text", text: stub.texts[id] };
}

function answerTo(message) {
  const { do: what, id } = message;
  if (what === "next") {
    const items = [];
    while (items.length < message.n && stub.next < stub.texts.length) {
      const row = stub.next++;
      items.push({ id: row, ticket: `t${row}`, content: stub.withheld.has(row) ? null : contentOf(row) });
    }
    return { items };
  }
  if (what === "show") return { item: { id, ticket: null, content: contentOf(id) } };
  if (what === "suggest") return { suggestion: stub.suggestion ?? null, routed: stub.routed };
  if (what === "full") return { content: stub.full ?? contentOf(id) };
  if (what === "history") {
    const from = message.before ?? 0;
    const labels = ({ answers }) => answers.filter(({ kind }) => kind === "label").map(({ label }) => label);
    const listed = stub.earlier.filter((item) => !message.differ || new Set(labels(item)).size > 1);
    const items = listed.slice(from, from + 2).map((item) => ({ ...item, ticket: null, content: null }));
    return { items, before: from + 2 < listed.length ? from + 2 : null };
  }
  if (what === "add_class") stub.classes = [...stub.classes, message.label];
  if (message.key && stub.keys.has(message.key)) return {};
  stub.keys.add(message.key);
  if (what === "undo") {
    const row = stub.log.pop();
    if (row === undefined) return { item: null };
    const answer = stub.labels.get(row).pop();
    return { item: { id: row, ticket: `t${row}`, content: contentOf(row), ...answer } };
  }
  if (what === "rename_class") {
    const names = stub.classes.map((label) => (label === message.old ? message.new : label));
    stub.classes = [...new Set(names)];
  }
  const kinds = { label: "label", relabel: "label", skip: "skip", dont_know: "unknown" };
  if (kinds[what]) {
    stub.log.push(id);
    stub.labels.set(id, [...(stub.labels.get(id) ?? []), { kind: kinds[what], label: message.label }]);
  }
  return {};
}
