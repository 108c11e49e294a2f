// Light and dark: as the system has it, until a button says otherwise; paper is always light.

const theme = (() => {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const paper = window.matchMedia("print");
  const followers = [];
  const name = () => {
    if (paper.matches) return "light";
    return root.dataset.theme || (system.matches ? "dark" : "light");
  };
  let told = name();
  const tell = () => {
    if (name() === told) return;
    told = name();
    followers.forEach((follow) => follow(told));
  };
  const remembered = () => {
    try { return window.localStorage.getItem("alloop-theme"); } catch { return null; }
  };
  const remember = (value) => {
    // A page without a place of its own, such as a file, may not be allowed to.
    try { window.localStorage.setItem("alloop-theme", value); } catch { /* forgotten, then */ }
  };
  const button = document.getElementById("theme");
  const say = () => { button.textContent = name() === "dark" ? "Light" : "Dark"; };
  const set = (value) => {
    root.dataset.theme = value;
    say();
    tell();
  };
  button.hidden = false;
  if (["light", "dark"].includes(remembered())) root.dataset.theme = remembered();
  button.addEventListener("click", () => {
    const other = name() === "dark" ? "light" : "dark";
    remember(other);
    set(other);
  });
  system.addEventListener("change", () => { say(); tell(); });
  paper.addEventListener("change", tell);
  window.addEventListener("beforeprint", tell);
  told = name();
  say();
  /** Have a function called whenever the theme changes, until a signal says that this is enough. */
  const follow = (follower, signal) => {
    followers.push(follower);
    signal?.addEventListener("abort", () => followers.splice(followers.indexOf(follower), 1));
  };
  return { name, follow };
})();
