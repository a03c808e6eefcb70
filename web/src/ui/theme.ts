import { useSyncExternalStore } from "react";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const kept = "creavio.theme";
const marks = ["density", "motion"] as const;
const dark = (): MediaQueryList => matchMedia("(prefers-color-scheme: dark)");
const chosen = new Set<(theme: Theme) => void>();
const shown = new Set<() => void>();

/** The theme that was chosen on this device. */
export function chosenTheme(): Theme {
  return themes.find((one) => one === localStorage.getItem(kept)) ?? "system";
}

/** The theme that was chosen, in a component that is shown again when it changes. */
export function useTheme(): Theme {
  return useSyncExternalStore(
    (tell) => {
      shown.add(tell);
      return () => shown.delete(tell);
    },
    chosenTheme,
  );
}

/** Shows a theme from now on, because somebody here wants it. */
export function chooseTheme(theme: Theme): void {
  showTheme(theme);
  for (const tell of chosen) tell(theme);
}

/** Told what somebody here chooses. Returns how to stop. */
export function onTheme(tell: (theme: Theme) => void): () => void {
  chosen.add(tell);
  return () => chosen.delete(tell);
}

/** Shows a theme from now on. */
export function showTheme(theme: Theme): void {
  localStorage.setItem(kept, theme);
  show();
}

/** Says how else things are shown, on this device from now on: styles go by the document's attribute. */
export function mark(name: (typeof marks)[number], value: string): void {
  localStorage.setItem(`creavio.${name}`, value);
  document.documentElement.dataset[name] = value;
}

/** Shows everything as it was chosen, and follows the system where nothing was. */
export function themeAsBefore(): void {
  show();
  for (const name of marks) document.documentElement.dataset[name] = localStorage.getItem(`creavio.${name}`) ?? "";
  dark().addEventListener("change", show);
}

function show(): void {
  const theme = chosenTheme();
  document.documentElement.dataset["theme"] = theme === "system" ? (dark().matches ? "dark" : "light") : theme;
  for (const tell of shown) tell();
}
