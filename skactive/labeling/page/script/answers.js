// Answers: giving, changing and undoing them.

const COUNTERS = { label: ["n_labeled", "mine"], skip: ["n_skipped"], unknown: ["n_unknown"] };

const STILL_LOADING = "The picture is still loading.";

// Return by how much an answer changes the counters, given the one before. A row with a label of
// somebody else is counted already.
function effectOf(kind, kindBefore, isLabeled) {
  const list = (each) => (COUNTERS[each] ?? []).filter((counter) => !isLabeled || counter === "mine");
  const effect = {};
  for (const counter of list(kind)) effect[counter] = 1;
  for (const counter of list(kindBefore)) effect[counter] = (effect[counter] ?? 0) - 1;
  return effect;
}

const answering = {
  // Return the item on screen.
  visibleItem() {
    return this.cursor === null ? this.current : this.past[this.cursor];
  },

  // Make the next item the current one; leases that end soon are not used.
  advance() {
    const limit = performance.now() - 900 * (this.state.lease_seconds ?? Infinity);
    this.ready = this.ready.filter((item) => item.loadedAt > limit);
    this.current = this.ready.shift() ?? null;
    if (this.cursor === null) this.begin();
    this.fetch();
  },

  // Show an item, and begin to measure the time.
  begin() {
    const item = this.visibleItem();
    this.shownAt = performance.now();
    this.hiddenMs = 0;
    this.confirming = null;
    const known = (each) => this.classes.includes(each);
    const label = item?.answers ? countingAnswer(item.answers)?.label : item?.label;
    this.picked = Array.isArray(label) ? label.filter(known) : [];
    this.fillNumber(label ?? item?.was?.label);
    this.clearSearch();
    this.hideSuggestion();
    this.toggleMore(false);
    this.render();
    this.focusNumber();
    if (item && !item.content) this.load(item);
    if (item) {
      const detail = { id: item.id };
      this.root.dispatchEvent(new CustomEvent("skactive:shown", { detail, bubbles: true }));
    }
  },

  // Return whether the item on screen has just appeared, a class was just found by searching, or an
  // answer was just undone: a bounced key or click is for what was there before.
  isNew() {
    const latest = Math.max(this.shownAt, this.foundAt, this.undoneAt);
    return performance.now() - latest < DOUBLE_CLICK_MS;
  },

  seconds() {
    return Math.max(0, Math.round(performance.now() - this.shownAt - this.hiddenMs) / 1000);
  },

  answer(kind, label = null) {
    const item = this.visibleItem();
    if (!item || !item.content) return;
    if (kind === "label" && !this.mayLabel(item, label)) return;
    const isPast = this.cursor !== null;
    const { annotator } = this.state;
    const others = item.answers?.filter((other) => other.annotator !== annotator);
    const before = isPast ? { kind: item.kind, label: item.label, answers: item.answers } : null;
    const again = kind === "label" && (before?.kind === "label" || others !== undefined);
    const message = { do: again ? "relabel" : kind, id: item.id };
    if (kind === "label") Object.assign(message, { label, seconds: this.seconds() });
    if (item.ticket) message.ticket = item.ticket;
    Object.assign(item, { kind: kind === "dont_know" ? "unknown" : kind, label });
    if (others) item.answers = [{ annotator, kind: item.kind, label }, ...others];
    if (isPast) this.ready = this.ready.filter(({ id }) => id !== item.id);
    const isLabeled = others?.some((other) => other.kind === "label");
    const action = { item, before, effect: effectOf(item.kind, before?.kind, isLabeled) };
    this.actions.push(action);
    action.job = this.enqueue(message, {
      effect: action.effect,
      failed: (error) => this.onRefusal(action, error),
    });
    this.moveOn(isPast);
    this.announce(`${describeAnswer(item)}. ${this.summary()}`);
  },

  // Return whether a label may be given; for an item that is not shown it must be given twice.
  mayLabel(item, label) {
    if (item.node?.tagName === "IMG" && !item.node.complete) {
      this.fail(STILL_LOADING);
      return false;
    }
    if (isShown(item)) return true;
    const asked = JSON.stringify(label);
    const { asked: before, at } = this.confirming ?? {};
    if (asked === before && performance.now() - at > DOUBLE_CLICK_MS) return true;
    this.confirming = { asked, at: performance.now() };
    this.fail(
      `This item cannot be shown. Press again to label it anyway, or use ` +
      `${this.titleOf("don't know")} or ${this.titleOf("skip")}.`,
    );
    return false;
  },

  moveOn(wasPast) {
    this.clearError();
    if (wasPast && this.differ) {
      this.back();
    } else if (wasPast) {
      this.go(1);
    } else {
      this.past.push(this.current);
      this.forgetNodes();
      this.advance();
    }
  },

  // An answer was refused: ask about the item again.
  onRefusal(action, error) {
    this.actions = this.actions.filter((other) => other !== action);
    this.queue = this.queue.filter((job) => job.tried || job.of !== action);
    if (!action.isUndone) this.reopen(action);
    this.fail(error);
  },

  // Restore the earlier answer of an item, and show the item.
  reopen({ item, before }) {
    if (!this.past.includes(item)) this.past = this.past.filter(({ id }) => id !== item.id);
    if (before) {
      Object.assign(item, before);
      if (!this.past.includes(item)) this.past.push(item); // the history was loaded anew
      this.cursor = this.past.indexOf(item);
    } else {
      this.past = this.past.filter((other) => other !== item);
      this.askAgain(item);
    }
    this.begin();
  },

  askAgain(item) {
    if (this.current && this.current !== item) this.ready.unshift(this.current);
    const { kind, label, ...rest } = item;
    this.current = { ...rest, label: Array.isArray(label) ? label : undefined, was: { kind, label } };
    this.cursor = null;
    this.exhausted = false;
  },

  undo() {
    const action = this.actions.pop();
    this.undoneAt = performance.now();
    this.clearError();
    if (!action) {
      this.enqueue({ do: "undo" }, {
        done: (reply) => this.onUndone(reply.item),
        failed: (error) => this.fail(error),
      });
      return;
    }
    const { kind, label, answers } = action.item;
    Object.assign(action, { isUndone: true, after: { kind, label, answers } });
    const index = this.queue.indexOf(action.job);
    if (index >= 0 && !action.job.tried) this.queue.splice(index, 1); // it was never sent
    else this.sendUndo(action);
    this.reopen(action);
    action.shown = this.visibleItem();
    this.renderStatus();
    this.announce(`Undone. ${this.summary()}`);
  },

  sendUndo(action) {
    const effect = Object.fromEntries(Object.entries(action.effect).map(([name, n]) => [name, -n]));
    this.enqueue({ do: "undo" }, {
      of: action,
      effect,
      done: ({ item }) => item && item.id !== action.item.id && this.onOtherUndone(action, item),
      failed: (error) => this.fail(error),
    });
  },

  // The last answer was given elsewhere, in another tab, and that one was undone.
  onOtherUndone(action, item) {
    const { shown, item: answered } = action;
    if (action.before) Object.assign(answered, action.after);
    else if (this.current === shown) {
      this.current = this.ready.shift() ?? null;
      this.past.push(answered);
    }
    this.onUndone(item);
    this.fail("Your last answer was given elsewhere, in another tab perhaps: that one is undone.");
  },

  // The session undid an answer that was not given on this page.
  onUndone(item) {
    if (!item) {
      this.fail("There is nothing to undo.");
      return;
    }
    const isOther = (other) => other.id !== item.id;
    this.ready = this.ready.filter(isOther);
    this.past = this.past.filter(isOther);
    if (this.current?.id === item.id) this.current = null;
    this.askAgain({ ...item, loadedAt: performance.now() });
    this.begin();
    this.announce(`Undone. ${this.summary()}`);
  },

  pick(label) {
    if (!this.visibleItem()) return;
    if (!this.state.multilabel) {
      this.answer("label", label);
      return;
    }
    const on = this.picked.includes(label);
    this.picked = on ? this.picked.filter((other) => other !== label) : [...this.picked, label];
    this.clearError();
    this.renderPicked();
    this.announce(`${name(label)} ${on ? "off" : "on"}`);
  },

  submit() {
    if (this.state.numbers) {
      this.submitNumber();
      return;
    }
    const label = this.classes.filter((each) => this.picked.includes(each));
    if (label.length) this.answer("label", label);
    else if (this.visibleItem()) this.fail(`Pick classes first, or press ${this.titleOf("none")}.`);
  },

  answerNone() {
    if (!this.picked.length) this.answer("label", []);
    else this.fail("Classes are picked: press Enter to store them, or unpick them first.");
  },

  // Earlier answers ------------------------------------------------------------------------------

  // Go back or forward among the items answered by this person.
  go(step) {
    const index = (this.cursor ?? this.past.length) + step;
    if (index < 0 || index > this.past.length) return;
    this.cursor = index === this.past.length ? null : index;
    this.begin();
    this.announce(this.summary());
  },

  async back() {
    const shown = this.visibleItem();
    const isFirst = (this.cursor ?? this.past.length) === 0;
    const isOld = this.reviews() && this.cursor === null && !this.queue.length; // others answered since
    if ((isFirst || isOld) && !(await this.loadEarlier(isOld))) return;
    if (shown === this.visibleItem()) this.go(-1);
  },

  // Load answers from before this page was opened, or all anew; return whether there are any.
  async loadEarlier(anew = false) {
    if (this.loadingEarlier) return false;
    this.loadingEarlier = true;
    const n = anew ? 0 : this.past.length;
    try {
      if (anew) await this.loadHistory(true);
      while (this.past.length === n && this.earliest !== null) await this.loadHistory();
      const what = this.differ ? "rows with different labels" : "answers";
      if (this.past.length === n) this.fail(`There are no earlier ${what}.`);
    } catch (error) {
      this.fail(error.message);
    }
    this.loadingEarlier = false;
    if (!this.destroyed) this.render();
    return this.past.length > n;
  },

  async loadHistory(anew = false) {
    const differ = this.differ && this.reviews();
    const message = { do: "history", ...(differ && { differ }) };
    if (!anew && this.earliest !== undefined) message.before = this.earliest;
    const reply = await this.ask(message).catch(() => {
      throw new Error("No connection. Try again.");
    });
    if (!reply.ok) throw new Error(reply.error);
    if (anew && this.cursor !== null) return; // an earlier item is on screen by now
    if (anew) this.past = [];
    this.earliest = reply.before;
    this.addEarlier(reply.items);
  },

  // Return whether this person sees the answers of others.
  reviews() {
    return ["reviews", "administers"].includes(this.state.role);
  },

  // Go back through all rows, or only through those with different labels.
  toggleDiffer() {
    const wasPast = this.cursor !== null;
    Object.assign(this, { differ: !this.differ, past: [], earliest: undefined, cursor: null });
    this.parts.differ.setAttribute("aria-pressed", String(this.differ));
    this.clearError();
    if (wasPast) this.begin();
    if (this.differ) this.back();
  },

  // Put loaded answers, newest first, before those given here.
  addEarlier(items) {
    const known = new Set([...this.past, this.current].map((item) => item?.id));
    const added = items.filter((item) => !known.has(item.id)).reverse();
    this.past.unshift(...added);
    if (this.cursor !== null) this.cursor += added.length;
  },

  forgetNodes() {
    const old = this.past[this.past.length - 1 - MAX_NODES];
    if (old) Object.assign(old, { content: null, node: null, problem: undefined });
  },

  // Suggestions and classes ----------------------------------------------------------------------

  async suggest() {
    const item = this.visibleItem();
    if (!item || this.suggesting) return;
    this.suggesting = true;
    let reply;
    try {
      reply = await this.ask({ do: "suggest", id: item.id });
    } catch {
      reply = { ok: false, error: "No connection. Try again." };
    }
    this.suggesting = false;
    if (this.destroyed || item !== this.visibleItem()) return;
    if (reply.ok) this.showSuggestion(reply.suggestion, reply.routed);
    else this.fail(reply.error);
  },

  addClass(text) {
    const label = this.labelOf(text);
    if (label === "") return;
    this.enqueue({ do: "add_class", label }, {
      done: () => this.announce(`Class ${name(label)} added.`),
      failed: (error) => this.fail(error),
    });
    this.toggleForm(false);
  },

  // Return the class of a typed name: a number where all classes are numbers.
  labelOf(text) {
    const trimmed = text.trim();
    const same = this.classes.find((label) => String(label) === trimmed);
    if (same !== undefined) return same;
    const numbers = this.classes.length && this.classes.every((c) => typeof c === "number");
    return trimmed && numbers && Number.isFinite(Number(trimmed)) ? Number(trimmed) : trimmed;
  },

  // A class was renamed or merged: the answers given here follow.
  replaceLabel(old, label) {
    const replaced = (value) => {
      if (Array.isArray(value)) return [...new Set(value.map(replaced))];
      return value === old ? label : value;
    };
    const follow = (about) => {
      if (!about) return;
      about.label = replaced(about.label);
      about.answers?.forEach(follow);
    };
    [...this.past, this.current, this.current?.was].forEach(follow);
    for (const { before } of this.actions) follow(before);
    this.picked = replaced(this.picked);
  },
};
