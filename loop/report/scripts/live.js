// A page that follows what it shows: the server says that there is something new, the new page is
// fetched, and what changed is put in the place of what was there.

const AGAIN = 5000; // ms until a server that did not answer is asked again
const BUSY = 250; // ms until it is looked again whether the reader still holds something

/**
 * Follow the server.
 *
 * swap: puts a fetched page in the place of the one that is shown.
 */
const follow = (swap) => {
  const root = document.documentElement;
  const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
  let wanted = root.dataset.version;
  let fetching = false;
  let pressed = false;

  const say = (text) => {
    const problem = document.getElementById("live-problem");
    if (problem.textContent !== text) problem.textContent = text;
  };
  for (const [name, is] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]]) {
    window.addEventListener(name, () => { pressed = is; }, { capture: true });
  }
  /** Return whether the reader drags something or marks a text, which a new page would end. */
  const isHeld = () => pressed || !(window.getSelection()?.isCollapsed ?? true);

  const update = async () => {
    if (fetching) return;
    fetching = true;
    try {
      while (wanted !== root.dataset.version) {
        const asked = wanted;
        const answer = await fetch("part");
        const next = new DOMParser().parseFromString(await answer.text(), "text/html");
        const { version } = next.documentElement.dataset;
        if (!version) throw new Error(`the server answers ${answer.status}`);
        while (isHeld()) await pause(BUSY);
        if (next.documentElement.dataset.kind !== root.dataset.kind) {
          window.location.reload(); // a report became a sentence, or the other way round
          return;
        }
        await swap(next);
        document.title = next.title;
        root.dataset.version = version;
        if (wanted === asked) wanted = version; // it may have gone on meanwhile
      }
      say("");
    } catch (error) {
      say(`What is new could not be fetched (${error.message}); this is what was known before. Trying again.`);
      setTimeout(update, AGAIN);
    } finally {
      fetching = false;
    }
  };

  const listen = () => {
    const source = new EventSource("events");
    source.addEventListener("message", (event) => {
      wanted = event.data;
      say("");
      update();
    });
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) {
        say("The server does not answer; this is what was known before. Trying again.");
        return;
      }
      say("The server refuses; if it was started anew, open the address that it printed.");
      source.close();
      setTimeout(listen, AGAIN);
    });
  };
  listen();
};

/** Return what the reader sees and holds, as a function that restores it on another page. */
const place = () => {
  const key = (element) => element.querySelector("summary")?.textContent;
  const open = new Set([...document.querySelectorAll("main details[open]")].map(key));
  const scrolled = [...document.querySelectorAll("main .scroll")].map((e) => [e.scrollLeft, e.scrollTop]);
  const anchors = [...document.querySelectorAll("main section[id], main footer[id]")];
  const anchor = anchors.findLast((e) => e.getBoundingClientRect().top <= 1);
  const top = anchor?.getBoundingClientRect().top;
  const { scrollY } = window;
  const { id, selectionStart, selectionEnd } = document.activeElement ?? {};
  return () => {
    document.querySelectorAll("main details").forEach((e) => { if (open.has(key(e))) e.open = true; });
    document.querySelectorAll("main .scroll").forEach((e, i) => {
      if (scrolled[i]) [e.scrollLeft, e.scrollTop] = scrolled[i];
    });
    const focused = id && document.getElementById(id);
    if (focused && focused !== document.activeElement) {
      focused.focus({ preventScroll: true });
      if (typeof selectionStart === "number") focused.setSelectionRange(selectionStart, selectionEnd);
    }
    const now = anchor?.id && document.getElementById(anchor.id);
    const moved = now ? now.getBoundingClientRect().top - top : scrollY - window.scrollY;
    window.scrollBy({ top: moved, behavior: "instant" });
  };
};

/** Put elements that are shown, and hold what cannot be made again at will, into the next page. */
const carryOver = (main, ids) => {
  for (const id of ids) {
    const [shown, next] = [document.getElementById(id), main.querySelector(`#${CSS.escape(id)}`)];
    if (!shown || !next) continue;
    for (const name of ["aria-label", "style"]) {
      if (next.hasAttribute(name)) shown.setAttribute(name, next.getAttribute(name));
    }
    next.replaceWith(shown);
  }
};
