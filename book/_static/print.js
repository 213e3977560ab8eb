// A dark page is printed in light colours: its text would be pale on paper.
(() => {
  const page = document.documentElement.dataset;
  let screen;
  addEventListener("beforeprint", () => {
    screen = page.theme;
    page.theme = "light";
  });
  addEventListener("afterprint", () => {
    page.theme = screen;
  });
})();
