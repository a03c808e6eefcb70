import { currentLanguage } from "@/i18n";

export function day(time: Date): string {
  return time.toLocaleDateString(locale(), { weekday: "long", day: "numeric", month: "long" });
}

export function clock(time: Date): string {
  return time.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
}

export function whole(time: Date): string {
  return time.toLocaleString(locale(), { dateStyle: "full", timeStyle: "short" });
}

/** From one moment to another, saying what they share once. */
export function span(from: Date, to: Date): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "full", timeStyle: "short" }).formatRange(from, to);
}

/** How the person's own system writes times, where it speaks the language that is shown. */
export function locale(): string {
  const own = navigator.languages.find((one) => one.startsWith(currentLanguage()));
  return own ?? currentLanguage();
}
