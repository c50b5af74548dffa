// Dialogs: all keys, the picture at full size, and the classes to edit.

// A modal dialog within the page: the browser keeps the focus in it, and gives it back.
class Dialog {
  constructor(page, title, options = {}) {
    this.page = page;
    this.titleId = `${page.prefix}-dialog`;
    this.body = h("div", { class: "ska-dialog-body" });
    this.status = h("p", { class: "ska-notice", role: "status" });
    const heading = Math.min(page.options.heading + 1, 6);
    this.head = h("div", { class: "ska-dialog-head" },
      h(`h${heading}`, { id: this.titleId }, title),
      h("button", { class: "ska-action", type: "button", onclick: () => this.close() },
        "Close", h("kbd", { "aria-hidden": "true" }, "Esc")));
    this.element = h("dialog", {
      class: `ska-dialog ${options.class ?? ""}`, "aria-labelledby": this.titleId,
      onclose: () => this.onClose(),
    }, this.head, this.status, this.body);
    page.dialog = this;
    page.root.append(this.element);
    this.element.showModal();
  }

  // The event that follows a closed dialog may come after the next key.
  get isOpen() {
    return this.element.open;
  }

  close() {
    this.element.close();
  }

  onClose() {
    this.element.remove();
    const { page } = this;
    if (page.dialog === this) page.dialog = null;
    const active = page.root.getRootNode().activeElement;
    if (!page.destroyed && !page.root.contains(active)) page.root.focus({ preventScroll: true });
  }
}

// All keys ---------------------------------------------------------------------------------------

class HelpDialog extends Dialog {
  constructor(page) {
    super(page, "Keys", { class: "ska-help" });
    const rows = [...this.commandRows(), ...this.fixedRows(), ...this.classRows()];
    this.body.tabIndex = 0; // so that keys can scroll it
    this.body.setAttribute("role", "group");
    this.body.setAttribute("aria-labelledby", this.titleId);
    this.body.append(h("table", { class: "ska-table" }, h("tbody", {}, ...rows.map(
      ([keys, title, help]) => h("tr", {},
        h("td", {}, ...keys.map((key) => h("kbd", {}, key))),
        h("th", { scope: "row", dir: "auto" }, title), h("td", {}, help))))));
  }

  handleKey(event) {
    if (this.page.keys.commands[event.key] !== "help" || event.repeat) return false;
    this.close();
    return true;
  }

  commandRows() {
    const { page } = this;
    const offered = Object.keys(page.commands).filter((command) => isGeneral(page, command));
    return offered.map((command) => {
      const key = page.keyOf(command);
      const keys = [key && keyTexts(key).shown, { back: "←", undo: "Ctrl+Z" }[command]].filter(Boolean);
      return [keys, page.commands[command].title, helpOf(page, command)];
    });
  }

  fixedRows() {
    const several = [[["Enter"], "Submit", "Store the classes that are picked"]];
    const numbers = [
      [["Enter"], "Submit", "Store the number that is typed"],
      [["Esc"], "Leave the field", "Letters are keys outside of it; digits lead back to it"],
    ];
    return [
      ...(this.page.state.multilabel ? several : []),
      ...(this.page.state.numbers ? numbers : []),
      [["→"], "Forward", "Go forward again among your earlier answers"],
      [["Esc"], "Newest", "Return from earlier answers to the newest row"],
    ];
  }

  classRows() {
    const { classes, keys } = this.page;
    const rows = classes.map((label, index) => [keys.classes[index], label]);
    const help = keys.search ? "Class; others are found by typing in the search field" : "Class";
    return rows.filter(([key]) => key).map(([key, label]) => [[keyTexts(key).shown], name(label), help]);
  }
}

// Return the explanation of a command: that of the terminal, unless the page does something else.
function helpOf(page, command) {
  const text = page.commands[command].help ?? page.keys.help?.[command] ?? "";
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// Return whether a command can be used here, though perhaps not for the row on screen.
function isGeneral(page, command) {
  return ["more", "open", "play"].includes(command) || page.isOffered(command);
}

// The picture at full size -----------------------------------------------------------------------

const ZOOM_STEP = 1.25;
const MAX_ZOOM = 32;

function describeReduced({ width, height }) {
  const size = width ? ` from ${count(width)} × ${count(height)} pixels` : "";
  return `This copy is reduced${size}: the picture is too large to be sent.`;
}

class ViewerDialog extends Dialog {
  constructor(page, item) {
    super(page, "Picture at full size", { class: "ska-viewer" });
    this.item = item;
    const { src, alt } = item.content;
    this.image = h("img", { alt: visible(alt || "the image to be labeled") });
    this.stage = h("div", {
      class: "ska-stage", tabindex: "0", role: "group", "aria-label": "Picture",
      onpointerdown: (event) => this.drag(event),
    }, this.image);
    this.stage.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    const button = (text, key, does) =>
      h("button", { class: "ska-action", type: "button", "aria-keyshortcuts": key, onclick: does },
        text, h("kbd", { "aria-hidden": "true" }, key));
    this.body.append(
      h("div", { class: "ska-actions" },
        button("Larger", "+", () => this.zoom(ZOOM_STEP)),
        button("Smaller", "-", () => this.zoom(1 / ZOOM_STEP)),
        button("Fit", "0", () => this.fit()),
        button("100 %", "1", () => this.setScale(1))),
      this.stage,
    );
    this.image.addEventListener("load", () => this.onLoad());
    this.image.src = src;
    this.stage.focus();
    this.load();
  }

  // Load the picture at full size; until then the smaller one is shown.
  async load() {
    setText(this.status, "Loading the full size…");
    const reply = await this.page.ask({ do: "full", id: this.item.id })
      .catch(() => ({ ok: false, error: "No connection. Close this, and try again." }));
    if (!this.isOpen) return;
    const { content } = reply;
    if (!reply.ok) this.problem = reply.error;
    else if (content.type !== "image" || !isData(content.src, "image")) {
      this.problem = content.text ?? "The full size cannot be shown.";
    } else {
      this.problem = content.reduced ? describeReduced(content) : "";
      this.image.src = content.src;
    }
    this.showStatus();
  }

  onLoad() {
    const { naturalWidth: width, naturalHeight: height } = this.image;
    const side = Math.min(width, height);
    const fitting = this.fittingScale();
    this.setScale(side * fitting < Math.min(side, THIN) ? 1 : fitting);
    this.stage.scrollTo(0, 0);
  }

  fittingScale() {
    const { naturalWidth: width, naturalHeight: height } = this.image;
    return Math.min(1, this.stage.clientWidth / width, this.stage.clientHeight / height);
  }

  fit() {
    this.setScale(this.fittingScale());
  }

  // Change the size, and keep a point of the stage in its place; the default is the middle.
  zoom(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const { stage, image } = this;
    const left = (stage.scrollLeft + x - image.offsetLeft) / image.offsetWidth;
    const top = (stage.scrollTop + y - image.offsetTop) / image.offsetHeight;
    this.setScale(this.scale * factor);
    stage.scrollLeft = left * image.offsetWidth + image.offsetLeft - x;
    stage.scrollTop = top * image.offsetHeight + image.offsetTop - y;
  }

  setScale(scale) {
    const { naturalWidth: width } = this.image;
    if (!width) return;
    this.scale = Math.min(Math.max(scale, Math.min(1, this.fittingScale()) / 4, 1 / width), MAX_ZOOM);
    this.image.style.width = `${Math.max(1, width * this.scale)}px`;
    this.image.classList.toggle("ska-pixels", this.scale > 2);
    this.showStatus();
  }

  showStatus() {
    if (this.problem === undefined) return; // it is still loading
    const { naturalWidth: width, naturalHeight: height } = this.image;
    const size = `${count(width)} × ${count(height)} pixels at ${Math.round(100 * this.scale)} %`;
    setText(this.status, visible([size, this.problem].filter(Boolean).join(". ")));
  }

  onWheel(event) {
    event.preventDefault();
    const box = this.stage.getBoundingClientRect();
    const factor = ZOOM_STEP ** Math.max(-1, Math.min(1, -event.deltaY / 50));
    this.zoom(factor, event.clientX - box.left, event.clientY - box.top);
  }

  // Move the picture with the mouse; touch screens scroll by themselves.
  drag(event) {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    const { stage } = this;
    event.preventDefault();
    stage.focus({ preventScroll: true });
    stage.setPointerCapture(event.pointerId);
    const move = ({ movementX, movementY }) => stage.scrollBy(-movementX, -movementY);
    const stop = () => stage.removeEventListener("pointermove", move);
    stage.addEventListener("pointermove", move);
    stage.addEventListener("lostpointercapture", stop, { once: true });
  }

  handleKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const does = {
      "+": () => this.zoom(ZOOM_STEP), "=": () => this.zoom(ZOOM_STEP),
      "-": () => this.zoom(1 / ZOOM_STEP), 0: () => this.fit(), 1: () => this.setScale(1),
    }[event.key];
    const closes = this.page.keys.commands[event.key] === "open" && !event.repeat;
    if (does) does();
    else if (closes) this.close();
    return Boolean(does) || closes;
  }
}

// Classes ----------------------------------------------------------------------------------------

class EditorDialog extends Dialog {
  constructor(page) {
    super(page, "Edit classes", { class: "ska-editor" });
    this.problem = h("div", { class: "ska-error", role: "alert" });
    this.status.after(this.problem);
    this.filter = h("input", { class: "ska-search", type: "text", autocomplete: "off",
      "aria-label": "Search for a class", placeholder: "Search for a class", oninput: () => this.showList() });
    this.showList();
  }

  // Show the classes again, if they are on screen: they have changed.
  update() {
    if (this.isList) this.showList();
  }

  handleKey(event) {
    if (event.key !== "Enter" || event.isComposing || !isField(event.composedPath()[0])) return false;
    if (!event.repeat) this.proceed?.();
    return true;
  }

  showList(text) {
    const { classes } = this.page;
    Object.assign(this, { isList: true, proceed: null });
    if (text !== undefined) setText(this.status, text);
    const found = matches(classes, this.filter.value);
    const shown = found.slice(0, MAX_OPTIONS);
    const rest = found.length - shown.length;
    const hadFocus = document.activeElement === this.filter || this.filter.matches(":focus");
    this.body.replaceChildren(
      notice(classes.length ? "A new name holds for all labels, those of others too." : "There are no classes yet."),
      ...(classes.length > MAX_TALLY ? [this.filter] : []),
      h("ul", {}, ...shown.map((label) => this.row(label))),
      rest ? notice(`${count(rest)} more: type to narrow the list`) : "",
    );
    if (hadFocus) this.filter.focus();
  }

  row(label) {
    return h("li", {},
      h("span", { dir: "auto" }, name(label)),
      h("span", { class: "ska-notice" }, plural(this.countOf(label), "label")),
      h("button", { class: "ska-action", type: "button", "aria-label": `Rename ${name(label)}`,
        onclick: () => this.showForm(label) }, "Rename"));
  }

  countOf(label) {
    return this.page.state.counts?.find(([other]) => other === label)?.[1] ?? 0;
  }

  showForm(label, typed = String(label)) {
    const { page } = this;
    setText(this.status, "");
    setText(this.problem, "");
    const list = `${page.prefix}-names`;
    const field = h("input", { class: "ska-search", type: "text", maxlength: "200", autocomplete: "off",
      list, "aria-label": `New name of ${name(label)}` });
    field.value = typed;
    const others = page.classes.filter((other) => other !== label).slice(0, MAX_OPTIONS);
    this.isList = false;
    this.proceed = () => this.confirm(label, field.value);
    this.body.replaceChildren(
      h("p", {}, `New name of ${quote(label)}. The name of another class merges the two.`),
      field,
      h("datalist", { id: list }, ...others.map((other) => h("option", { value: String(other) }))),
      this.makeActions(["Continue", () => this.proceed()], ["Cancel", () => this.showList()]),
    );
    field.focus();
    field.select();
  }

  makeActions(...actions) {
    return h("div", { class: "ska-actions" }, ...actions.map(([text, onclick]) =>
      h("button", { class: "ska-action", type: "button", onclick }, text)));
  }

  // Ask before labels change. The focus is on the question, so that no bounced Enter confirms it.
  confirm(old, typed) {
    const label = this.page.labelOf(typed);
    if (label === "" || label === old) {
      setText(this.problem, label === "" ? "Type a name." : "This is the name that it has.");
      return;
    }
    setText(this.problem, "");
    const isMerge = this.page.classes.includes(label);
    const n = plural(this.countOf(old), "label");
    const question = isMerge
      ? `Merge ${quote(old)} into ${quote(label)}? ${n} will be ${quote(label)}, and the two cannot be told apart again.`
      : `Rename ${quote(old)} to ${quote(label)}? ${n} will follow.`;
    const text = h("p", { tabindex: "-1" }, question);
    this.proceed = null;
    this.body.replaceChildren(text, this.makeActions(
      [isMerge ? "Merge" : "Rename", () => this.send(old, label, isMerge)],
      ["Cancel", () => this.showForm(old, typed)],
    ));
    text.focus();
  }

  send(old, label, isMerge) {
    const words = isMerge ? `${quote(old)} is merged into` : `${quote(old)} is now`;
    this.body.replaceChildren(notice("Saving…"));
    this.page.enqueue({ do: "rename_class", old, new: label }, {
      done: () => this.onDone(`${words} ${quote(label)}.`),
      failed: (error) => this.onFailed(old, label, error),
    });
  }

  onDone(text) {
    if (this.isOpen) {
      this.showList(text);
      this.element.querySelector("button").focus();
    } else {
      this.page.announce(text);
    }
  }

  onFailed(old, label, error) {
    if (!this.isOpen) {
      this.page.fail(error);
    } else {
      this.showForm(old, String(label));
      setText(this.problem, visible(error));
    }
  }
}

const dialogs = {
  openHelp() {
    if (!this.dialog?.isOpen) new HelpDialog(this);
  },

  openViewer() {
    if (!this.dialog?.isOpen && this.isOffered("open")) new ViewerDialog(this, this.visibleItem());
  },

  openEditor() {
    if (!this.dialog?.isOpen) new EditorDialog(this);
  },
};
