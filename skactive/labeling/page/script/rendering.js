// The parts of the page, and what they show.

const rendering = {
  build() {
    const { root } = this;
    root.classList.add("ska");
    root.tabIndex = -1;
    root.setAttribute("role", "region");
    this.search = this.makeSearch();
    this.classField = h("input", {
      class: "ska-search", type: "text", "aria-label": "Name of the new class", maxlength: "200",
      placeholder: "Name of the new class",
    });
    const p = (this.parts = { ...this.makeParts(), ...this.makeEntry(), ...this.makeButtons() });
    p.finder.append(this.search, p.options, p.more);
    p.form.append(
      this.classField,
      h("button", { class: "ska-action", type: "button", onclick: () => this.addClass(this.classField.value) }, "Add"),
      h("button", { class: "ska-action", type: "button", onclick: () => this.toggleForm(false) }, "Cancel"),
    );
    root.replaceChildren(
      h("div", { class: "ska-head" }, p.title, p.status),
      p.bar, p.counts, p.stop, p.error, p.past, p.item, p.answers,
      p.picked, p.classes, p.finder, p.entry, h("div", { class: "ska-submits" }, p.submit, p.none),
      h("div", { class: "ska-actions", role: "group", "aria-label": "Actions" },
        p.back, p.forward, p.differ, p.skip, p.unknown, p.undo, p.suggest, p.whole, p.open, p.add, p.edit,
        p.help),
      p.form, p.suggestion,
      h("div", { class: "ska-foot" }, p.curve, h("div", {}, p.accuracy, p.tally)),
      p.live,
    );
    this.buttons = [];
    this.renderKeys();
    this.renderState();
  },

  makeSearch() {
    return h("input", {
      class: "ska-search", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
      placeholder: "Search for a class", "aria-label": "Search for a class", "aria-expanded": "true",
      "aria-controls": `${this.prefix}-options`, "aria-autocomplete": "list",
      oninput: () => this.renderOptions(),
    });
  },

  makeParts() {
    return {
      title: h(`h${this.options.heading}`, { class: "ska-title" }),
      status: h("span", { class: "ska-status" }),
      bar: h("progress", { class: "ska-bar", "aria-label": "Rows labeled", max: "1", value: "0" }),
      counts: h("p", { class: "ska-counts" }),
      stop: h("p", { class: "ska-stop", role: "status", hidden: "" }),
      error: h("div", { class: "ska-error", role: "alert", "aria-live": "assertive" }),
      past: h("p", { class: "ska-past", hidden: "" }),
      item: h("div", { class: "ska-item", tabindex: "0", role: "group", "aria-label": "Item" }),
      answers: h("p", { class: "ska-answers", hidden: "" }),
      classes: h("div", { class: "ska-classes", role: "group", "aria-label": "Classes" }),
      finder: h("div", { class: "ska-finder", hidden: "" }),
      options: h("div", { class: "ska-options", role: "listbox", id: `${this.prefix}-options`, "aria-label": "Classes" }),
      more: h("p", { class: "ska-more", hidden: "" }),
      picked: h("p", { class: "ska-picked", hidden: "" }),
      suggestion: h("div", { class: "ska-suggestion", role: "status" }),
      form: h("div", { class: "ska-form", hidden: "" }),
      accuracy: h("p", { class: "ska-accuracy" }),
      curve: h("div", { class: "ska-curve" }),
      tally: h("p", { class: "ska-tally" }),
      live: h("div", { class: "ska-hidden", role: "status", "aria-live": "polite" }),
    };
  },

  makeButtons() {
    const button = (text, onclick, attributes = {}) =>
      h("button", { class: "ska-action", type: "button", ...attributes, onclick },
        text, h("kbd", { "aria-hidden": "true" }));
    const ofCommand = (command, attributes) => {
      const { title, does, isOnce } = this.commands[command];
      return button(title, isOnce ? (event) => this.onClick(event, does) : () => does(), attributes);
    };
    this.commandButtons = {
      back: ofCommand("back"), skip: ofCommand("skip"), "don't know": ofCommand("don't know"),
      undo: ofCommand("undo"), suggest: ofCommand("suggest"), more: ofCommand("more", { "aria-expanded": "false" }),
      open: ofCommand("open"), none: ofCommand("none"), help: ofCommand("help"),
      "new class": ofCommand("new class", { "aria-expanded": "false" }),
      "edit classes": ofCommand("edit classes"),
    };
    const { back, skip, undo, suggest, open, none, help, ...others } = this.commandButtons;
    const forward = button("Forward", () => this.go(1), { "aria-keyshortcuts": "ArrowRight" });
    forward.lastChild.textContent = "→";
    const differ = h("button", {
      class: "ska-action", type: "button", hidden: "", "aria-pressed": "false",
      onclick: (event) => this.onClick(event, () => this.toggleDiffer()),
    }, "Only rows with different labels");
    const submit = button("Submit", (event) => this.onClick(event, () => this.submit()),
      { class: "ska-submit", hidden: "", "aria-keyshortcuts": "Enter" });
    submit.lastChild.textContent = "Enter";
    return {
      back, forward, differ, skip, undo, suggest, open, none, help, submit, unknown: others["don't know"],
      whole: others.more, add: others["new class"], edit: others["edit classes"],
    };
  },

  // Show on each button the key that it has, and hide the commands that are not offered.
  renderKeys() {
    const fixed = { undo: "Control+Z", back: "ArrowLeft" };
    for (const [command, button] of Object.entries(this.commandButtons)) {
      const { shown, shortcut } = keyTexts(this.keyOf(command));
      const kbd = button.querySelector("kbd");
      kbd.textContent = shown;
      kbd.hidden = !shown;
      const shortcuts = [shortcut, fixed[command]].filter(Boolean).join(" ");
      if (shortcuts) button.setAttribute("aria-keyshortcuts", shortcuts);
      else button.removeAttribute("aria-keyshortcuts");
    }
    this.renderOffers();
  },

  renderOffers() {
    for (const [command, button] of Object.entries(this.commandButtons)) {
      button.hidden = !this.isOffered(command);
    }
    const { add, form, differ } = this.parts;
    differ.hidden = !this.reviews();
    if (add.hidden && !form.hidden) this.toggleForm(false, false);
  },

  render() {
    const hadFocus = this.root.contains(this.root.getRootNode().activeElement);
    this.renderItem();
    this.renderPast();
    this.renderAnswers();
    this.renderPicked();
    this.renderEntry();
    this.renderStatus();
    this.renderOffers();
    const active = this.root.getRootNode().activeElement;
    const lost = !this.root.contains(active) || active?.disabled;
    if (hadFocus && lost) this.root.focus({ preventScroll: true });
  },

  nodeOf(item) {
    if (item.node) return item.node;
    const node = nodeOf(item, (text) => this.onBroken(item, text));
    node.addEventListener("load", () => this.parts.error.textContent === STILL_LOADING && this.fail(""));
    if (node.tagName === "IMG") node.addEventListener("click", () => this.openViewer());
    return node;
  },

  // The browser cannot show a content: say so in its place.
  onBroken(item, text) {
    item.problem = text;
    item.node = CONTENTS.problem({ text });
    if (item !== this.visibleItem()) return;
    this.render();
    this.announce(visible(text));
  },

  renderItem() {
    const { item } = this.parts;
    const shown = this.visibleItem();
    const node = shown ? (shown.content ? this.nodeOf(shown) : notice("Loading…")) : this.emptyNotice();
    item.setAttribute("aria-busy", String(Boolean(shown && !shown.content)));
    if (item.firstChild === node) return;
    item.querySelectorAll("audio").forEach((sound) => sound.pause());
    const { note } = (shown?.content ?? {});
    item.replaceChildren(node, ...(note ? [notice(visible(note))] : []));
    item.scrollTop = item.scrollLeft = 0;
    if (node.tagName === "IMG") fitImage(node);
    this.noteCut();
  },

  emptyNotice() {
    if (this.exhausted) return notice("There is nothing left to label. Thank you!");
    return notice("Loading the next item…");
  },

  // Note whether a part of the item is out of view.
  noteCut() {
    const { item, whole } = this.parts;
    const isWhole = item.classList.contains("ska-whole");
    this.isCut = isWhole || item.scrollHeight > item.clientHeight + 1;
    whole.hidden = !this.isCut;
  },

  // Show all of the item, or only as much as leaves the classes in view.
  toggleMore(open = !this.parts.item.classList.contains("ska-whole")) {
    const { item, whole } = this.parts;
    item.classList.toggle("ska-whole", open);
    whole.setAttribute("aria-expanded", String(open));
    whole.firstChild.textContent = open ? "Less" : "More";
    this.noteCut();
  },

  renderPast() {
    const { past, back, forward, skip, unknown, suggest } = this.parts;
    const shown = this.visibleItem();
    past.hidden = this.cursor === null && !shown?.was?.kind;
    if (this.cursor !== null) {
      const steps = this.past.length - this.cursor;
      const answer = shown.kind ? `${describeAnswer(shown)}. Answer again to change it` : "Answer to label it yourself";
      past.textContent = `${steps} back. ${answer}, or press → to go forward.`;
    } else if (shown?.was?.kind) {
      const answer = describeAnswer(shown.was);
      past.textContent = `Undone: ${answer[0].toLowerCase()}${answer.slice(1)}`;
    }
    const isFirst = (this.cursor ?? this.past.length) === 0 && this.earliest === null;
    back.disabled = isFirst && !(this.reviews() && this.cursor === null); // others may answer more
    forward.disabled = this.cursor === null;
    skip.disabled = unknown.disabled = suggest.disabled = !shown;
  },

  // Show who answered the row what, to somebody who reviews.
  renderAnswers() {
    const { answers } = this.parts;
    const given = this.visibleItem()?.answers ?? [];
    const counting = countingAnswer(given);
    answers.hidden = !given.length;
    answers.replaceChildren(...given.flatMap((answer, index) => {
      const title = answer.time ? { title: new Date(1000 * answer.time).toLocaleString("en") } : {};
      const node = h(answer === counting ? "strong" : "span", title, describeGiven(answer, counting));
      return index ? [" · ", node] : [node];
    }));
  },

  renderClasses() {
    const { classes, finder, submit } = this.parts;
    const many = Boolean(this.keys.search);
    classes.hidden = many || !this.classes.length;
    finder.hidden = !many;
    submit.hidden = !this.submits();
    this.buttons = many ? [] : this.classes.map((label, index) => this.classButton(label, index));
    const focused = this.root.getRootNode().activeElement;
    const index = [...classes.children].indexOf(focused);
    classes.replaceChildren(...this.buttons);
    if (index >= 0) (this.buttons[index] ?? this.root).focus({ preventScroll: true });
    this.renderOffers();
    this.renderOptions();
    this.renderPicked();
  },

  classButton(label, index) {
    const { shown, shortcut } = keyTexts(this.keys.classes[index] ?? "");
    const shortcuts = shortcut ? { "aria-keyshortcuts": shortcut } : {};
    return h("button", {
      class: "ska-class", type: "button", ...shortcuts,
      onclick: (event) => this.onClick(event, () => this.pick(label)),
    }, h("span", { dir: "auto" }, name(label)), shown && h("kbd", { "aria-hidden": "true" }, shown));
  },

  renderOptions() {
    const { options, more } = this.parts;
    if (!this.keys.search) return;
    this.matching = matches(this.classes, this.search.value);
    const shown = this.matching.slice(0, MAX_OPTIONS);
    options.replaceChildren(...shown.map((label, index) => this.option(label, index)));
    const rest = this.matching.length - shown.length;
    more.hidden = rest === 0 && shown.length > 0;
    more.textContent = rest ? `${count(rest)} more: type to narrow the list` : "No matching class";
    this.setActive(this.search.value && shown.length ? 0 : -1);
    this.renderPicked();
  },

  option(label, index) {
    const { shown } = keyTexts(this.keys.classes[this.classes.indexOf(label)] ?? "");
    return h("div", {
      class: "ska-option", role: "option", id: `${this.prefix}-option-${index}`,
      "aria-selected": "false",
      onmousedown: (event) => event.preventDefault(), // why: the focus must stay in the field
      onclick: (event) => this.onClick(event, () => this.pick(label)),
    }, h("span", { dir: "auto" }, name(label)), shown && h("kbd", { "aria-hidden": "true" }, shown));
  },

  setActive(index) {
    this.active = index;
    const options = [...this.parts.options.children];
    options.forEach((option, other) => option.classList.toggle("ska-active", other === index));
    if (index < 0) {
      this.search.removeAttribute("aria-activedescendant");
    } else {
      this.search.setAttribute("aria-activedescendant", options[index].id);
      options[index].scrollIntoView({ block: "nearest" });
    }
    if (!this.state.multilabel) this.renderPicked();
  },

  moveActive(step) {
    const n = this.parts.options.children.length;
    if (n) this.setActive((Math.max(this.active, step > 0 ? -1 : 0) + step + n) % n);
  },

  chooseActive() {
    if (this.active >= 0) {
      const label = this.matching[this.active];
      this.foundAt = performance.now();
      if (this.state.multilabel) this.clearSearch();
      this.pick(label);
    } else if (this.state.multilabel && !this.search.value) {
      this.submit();
    }
  },

  clearSearch() {
    if (!this.search.value && this.active === -1) return;
    this.search.value = "";
    this.renderOptions();
  },

  renderPicked() {
    const { picked, options } = this.parts;
    const several = Boolean(this.state.multilabel);
    const shown = this.visibleItem();
    const answer = shown?.answers ? countingAnswer(shown.answers) : shown;
    const past = this.cursor !== null && answer?.kind === "label" ? [answer.label] : [];
    const chosen = several ? this.picked : past;
    this.buttons.forEach((button, index) => {
      const on = chosen.includes(this.classes[index]);
      button.disabled = !shown;
      button.classList.toggle("ska-chosen", on);
      if (several || this.cursor !== null) button.setAttribute("aria-pressed", String(on));
      else button.removeAttribute("aria-pressed");
    });
    [...options.children].forEach((option, index) => {
      const on = several ? chosen.includes(this.matching[index]) : index === this.active;
      option.setAttribute("aria-selected", String(on));
      option.classList.toggle("ska-chosen", chosen.includes(this.matching[index]));
    });
    options.setAttribute("aria-multiselectable", String(several));
    picked.hidden = !(several && this.keys.search && this.picked.length);
    picked.textContent = `Picked: ${this.picked.map(name).join(", ")}`;
  },
};

// The state of the session -----------------------------------------------------------------------

const reporting = {
  renderState() {
    const { state, parts } = this;
    const title = visible(this.options.title || state.title || "Labeling");
    parts.title.textContent = title;
    this.root.setAttribute("aria-label", title);
    if (parts.submit.hidden === this.submits()) this.renderClasses();
    this.renderEntry();
    this.renderOffers();
    if (state.n_rows === undefined) return;
    if (!this.classes.length && !this.invited && this.isOffered("new class")) {
      this.toggleForm((this.invited = true), false);
    }
    this.renderCounts();
    setText(parts.stop, state.stop_reason ? `You may stop now: ${visible(state.stop_reason)}` : "");
    parts.stop.hidden = !state.stop_reason;
    if (state.problem !== this.problem) this.fail(state.problem && `Problem with the model: ${state.problem}`);
    this.problem = state.problem;
    parts.accuracy.textContent = state.accuracy_text || (state.fitting ? "A model is being fitted…" : "");
    parts.tally.textContent = describeTally(state);
    this.renderCurve(state.curve ?? []);
  },

  // Show the counters of the latest reply, and the answers that it does not count yet.
  renderCounts() {
    const { bar, counts } = this.parts;
    const state = { ...this.state };
    if (state.n_rows === undefined) return;
    for (const { effect } of this.queue) {
      for (const [counter, n] of Object.entries(effect ?? {})) {
        state[counter] = Math.max(0, (state[counter] ?? 0) + n);
      }
    }
    bar.max = Math.max(state.n_rows, 1);
    bar.value = state.n_labeled;
    counts.textContent = describeCounts(state);
  },

  renderCurve(points) {
    const drawn = JSON.stringify(points);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const describe = this.state.numbers ? describeError : describeAccuracy;
    this.parts.curve.replaceChildren(...(points.length > 1 ? [curve(points, describe)] : []));
  },

  renderStatus() {
    const { status } = this.parts;
    const n = this.queue.length;
    const answers = n === 1 ? "1 answer is" : `${n} answers are`;
    if (this.failures) {
      setText(status, `${visible(this.trouble)} ${n ? `${answers} kept here and will be sent again.` : "Trying again."}`);
    } else {
      setText(status, n > 1 ? `Saving ${n}…` : n ? "Saving…" : this.actions.length ? "Saved" : "");
    }
    status.classList.toggle("ska-lost", this.failures > 0);
    this.renderCounts();
  },

  showSuggestion(ranking, routed = []) {
    this.showRanking(ranking);
    this.parts.suggestion.append(...routed.map((answer) => notice(describeRouted(answer))));
  },

  showRanking(ranking) {
    const { suggestion } = this.parts;
    if (this.state.numbers) {
      suggestion.replaceChildren(notice(visible(ranking ?? "There is no model yet to predict a number.")));
      return;
    }
    if (!ranking?.length) {
      suggestion.replaceChildren(notice("There is no model yet to suggest a class."));
      return;
    }
    const rows = ranking.slice(0, 5).map(([label, share]) =>
      h("li", {}, h("span", { dir: "auto" }, name(label)),
        share === null ? "" : h("meter", { value: share, max: "1", "aria-label": name(label) }),
        share === null ? "" : h("span", {}, `${Math.round(100 * share)} %`)));
    suggestion.replaceChildren(notice("The model suggests"), h("ol", {}, ...rows));
  },

  hideSuggestion() {
    this.parts.suggestion.replaceChildren();
  },

  toggleForm(open = this.parts.form.hidden, focus = true) {
    const { form, add } = this.parts;
    form.hidden = !open;
    add.setAttribute("aria-expanded", String(open));
    this.classField.value = "";
    if (focus) (open ? this.classField : add).focus({ preventScroll: true });
  },

  fail(text) {
    setText(this.parts.error, visible(text ?? ""));
  },

  clearError() {
    if (!this.problem) this.fail("");
  },

  announce(text) {
    this.parts.live.textContent = text;
  },

  summary() {
    const item = this.visibleItem();
    if (!item) return this.exhausted ? "Nothing left to label." : "Loading.";
    const { content } = item;
    if (!content) return "The next item is loading.";
    const what = { text: content.text, problem: content.text, error: content.text,
      image: content.alt, table: "a table" };
    const given = item.answers?.map((answer) => describeGiven(answer, countingAnswer(item.answers)));
    const text = visible(String(item.problem ?? what[content.type] ?? content.type).slice(0, 300));
    return `Next: ${text}${given?.length ? `. ${given.join(" · ")}` : ""}`;
  },
};
