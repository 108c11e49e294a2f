// A list, or a page of a sentence, that goes on.

follow((next) => {
  const restore = place();
  const main = document.adoptNode(next.querySelector("main"));
  carryOver(main, ["theme"]);
  document.querySelector("main").replaceWith(main);
  restore();
});
