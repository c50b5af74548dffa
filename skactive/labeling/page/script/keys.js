// Keys: the backend says which one stands for which class or command.

const keyboard = {
  // Return the commands of this page, by their names in the table of keys; `help` where it differs.
  makeCommands() {
    const hasContent = (type) => {
      const item = this.visibleItem();
      return item?.content?.type === type && isShown(item);
    };
    const mayEdit = () =>
      !this.state.numbers && [undefined, null, "administers"].includes(this.state.role);
    return {
      skip: { title: "Skip", does: () => this.answer("skip"), isOnce: true },
      "don't know": { title: "Don't know", does: () => this.answer("dont_know"), isOnce: true },
      none: { title: "None", does: () => this.answerNone(), isOnce: true,
        isOffered: () => Boolean(this.state.multilabel) },
      undo: { title: "Undo", does: () => this.undo(), isOnce: true },
      back: { title: "Back", does: () => this.back() },
      suggest: { title: "Suggest", does: () => this.suggest() },
      search: { title: "Search", does: () => this.search.focus(),
        isOffered: () => Boolean(this.keys.search) },
      more: { title: "More", does: () => this.toggleMore(), help: "Show the whole item, or less of it",
        isOffered: () => this.isCut },
      open: { title: "Open", does: () => this.openViewer(), help: "Show the picture at full size",
        isOffered: () => hasContent("image") },
      play: { title: "Play", does: () => this.playPause(), isOffered: () => hasContent("audio") },
      "new class": { title: "New class", does: () => this.toggleForm(), isOffered: mayEdit },
      "edit classes": { title: "Edit classes", does: () => this.openEditor(), isOffered: mayEdit },
      help: { title: "Keys", does: () => this.openHelp() },
    };
  },

  isOffered(command) {
    return this.commands[command]?.isOffered?.() ?? command in this.commands;
  },

  // Return the key of a command; "" if a class has it.
  keyOf(command) {
    return Object.keys(this.keys.commands).find((key) => this.keys.commands[key] === command) ?? "";
  },

  // Return the title of a command with its key, for messages.
  titleOf(command) {
    const key = this.keyOf(command);
    return this.commands[command].title + (key && ` (${keyTexts(key).shown})`);
  },

  onKey(event) {
    if (event.isComposing || event.defaultPrevented) return;
    const target = event.composedPath()[0];
    const inside = this.root.contains(target);
    const typing = isField(target);
    if (typing && !inside) return;
    const isRepeated = event.key === this.lastKey;
    if (!["Shift", "CapsLock"].includes(event.key)) {
      Object.assign(this, { lastKey: event.key, lastClicked: null });
    }
    if (this.handleKey(event, target, typing, isRepeated)) {
      event.preventDefault();
      event.stopPropagation();
    }
  },

  // Handle a key, and return whether it has a meaning here.
  handleKey(event, target, typing, isRepeated) {
    if (this.dialog?.isOpen) return this.dialog.handleKey(event);
    const command = event.ctrlKey || event.metaKey;
    const isBounce = event.repeat || (isRepeated && this.isNew());
    if (command && !event.altKey && !event.shiftKey && keyNames(event).includes("z")) {
      if (typing && target.value) return false; // the field has its own undo
      if (!isBounce) this.undo();
      return true;
    }
    if (command || event.altKey) return false;
    if (target === this.search) return this.handleSearchKey(event, isBounce);
    if (target === this.numberField) return this.handleNumberKey(event, isBounce);
    if (typing) return this.handleFormKey(event);
    if (target?.tagName === "BUTTON" && ["Enter", " "].includes(event.key)) {
      if (event.repeat || (isBounce && this.isOnceButton(target))) return true;
      if (this.isAction(target) || !this.state.multilabel || event.key === " ") return false;
    }
    return this.handlePlainKey(event, target, isBounce);
  },

  handlePlainKey(event, target, isBounce) {
    const does = this.findMeaning(event, target);
    if (!does) return this.startSearch(event.key);
    // why: a key that is held down, or that bounces, must answer or undo once
    if (!event.repeat && !(isBounce && does.isOnce)) does();
    return true;
  },

  // Return the function of a key, marked if it answers or undoes; undefined if it has none.
  findMeaning(event, target) {
    const isMedia = target?.tagName === "AUDIO";
    const fixed = {
      ArrowLeft: isMedia ? undefined : () => this.back(),
      ArrowRight: isMedia ? undefined : () => this.go(1),
      Escape: this.cursor === null ? undefined : () => this.go(this.past.length - this.cursor),
      Enter: this.submits() && !this.isAction(target) ? asOnce(() => this.submit()) : undefined,
    };
    if (event.key in fixed) return fixed[event.key];
    for (const key of keyNames(event)) {
      const index = this.keys.classes.indexOf(key);
      if (index >= 0) {
        const pick = () => this.pick(this.classes[index]);
        return this.state.multilabel ? pick : asOnce(pick);
      }
      const command = this.keys.commands[key];
      if (command && this.isOffered(command)) {
        const { does, isOnce } = this.commands[command];
        return isOnce ? asOnce(() => does()) : () => does();
      }
    }
    return undefined;
  },

  // Letters go to the search field, if there is one; digits to the field of numbers.
  startSearch(key) {
    if (this.keys.search && /^[\p{L}\p{N}]$/u.test(key)) this.search.focus();
    if (this.state.numbers && BEGINS_NUMBER.test(key)) this.numberField.focus();
    return false;
  },

  handleSearchKey(event, isBounce) {
    const does = {
      ArrowDown: () => this.moveActive(1),
      ArrowUp: () => this.moveActive(-1),
      Enter: () => isBounce || this.chooseActive(),
      Escape: () => (this.search.value ? this.clearSearch() : this.root.focus()),
    }[event.key];
    if (does) does();
    return Boolean(does) || this.handleCommandInSearch(event, isBounce);
  },

  // Signs such as "?" are commands in the empty search field, unless the name of a class begins so.
  handleCommandInSearch(event, isBounce) {
    const { key } = event;
    if (this.search.value || key.length !== 1 || /[\p{L}\p{N}]/u.test(key)) return false;
    if (this.classes.some((label) => name(label).startsWith(key))) return false;
    const command = this.keys.commands[key];
    if (!command || !this.isOffered(command)) return false;
    if (!isBounce) this.commands[command].does();
    return true;
  },

  handleFormKey(event) {
    if (event.key === "Enter" && !event.repeat) this.addClass(this.classField.value);
    if (event.key === "Escape") this.toggleForm(false);
    return event.key === "Enter" || event.key === "Escape";
  },

  // Return whether an answer is made of several steps, the last of which is to submit it.
  submits() {
    return Boolean(this.state.multilabel || this.state.numbers);
  },

  isAction(target) {
    return target?.tagName === "BUTTON" && !this.buttons.includes(target);
  },

  isOnceButton(target) {
    const { skip, unknown, submit, none, undo } = this.parts;
    if (this.buttons.includes(target)) return !this.state.multilabel;
    return [skip, unknown, submit, none, undo].includes(target);
  },

  // Ignore the second click of a double click: it was meant for the item before.
  onClick(event, does) {
    const now = performance.now();
    const isSame = event.detail > 0 && event.currentTarget === this.lastClicked;
    if (isSame && (now - this.lastClick < DOUBLE_CLICK_MS || this.isNew())) return;
    Object.assign(this, { lastClick: now, lastClicked: event.currentTarget });
    if (event.detail > 0) this.lastKey = null;
    // why: the next Enter is not for a button that only the mouse had reached
    if (event.detail > 0 && this.isAction(event.currentTarget)) this.root.focus({ preventScroll: true });
    does();
  },

  playPause() {
    const sound = this.parts.item.querySelector("audio");
    if (sound?.paused) sound.play().catch(() => {});
    else sound?.pause();
  },

  focusHome() {
    const home = this.state.numbers ? this.numberField : this.keys.search ? this.search : this.root;
    home.focus({ preventScroll: true });
  },
};

function asOnce(does) {
  return Object.assign(does, { isOnce: true });
}
