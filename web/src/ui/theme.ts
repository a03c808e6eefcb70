export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const kept = "creavio.theme";
const dark = (): MediaQueryList => matchMedia("(prefers-color-scheme: dark)");

/** The theme that was chosen on this device. */
export function chosenTheme(): Theme {
  return themes.find((one) => one === localStorage.getItem(kept)) ?? "system";
}

/** Shows a theme from now on. */
export function chooseTheme(theme: Theme): void {
  localStorage.setItem(kept, theme);
  show();
}

/** Shows the theme that was chosen, and follows the system where none was. */
export function themeAsBefore(): void {
  show();
  dark().addEventListener("change", show);
}

function show(): void {
  const theme = chosenTheme();
  document.documentElement.dataset["theme"] = theme === "system" ? (dark().matches ? "dark" : "light") : theme;
}
