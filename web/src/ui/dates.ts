import { currentLanguage } from "@/i18n";
import { once } from "@/i18n/once";

const days = written({ weekday: "long", day: "numeric", month: "long" });
const clocks = written({ hour: "2-digit", minute: "2-digit" });
const moments = written({ dateStyle: "full", timeStyle: "short" });

export function day(time: Date): string {
  return days().format(time);
}

export function clock(time: Date): string {
  return clocks().format(time);
}

export function whole(time: Date): string {
  return moments().format(time);
}

/** Has the ways to write times made ahead, each in a task of its own: drawing rows does not wait for them then. */
export function makeAhead(): void {
  for (const write of [day, clock, whole]) setTimeout(() => write(new Date()));
}

/** From one moment to another, saying what they share once. */
export function span(from: Date, to: Date): string {
  return moments().formatRange(from, to);
}

/** A way to write times, as the person's system does. */
export function written(options: Intl.DateTimeFormatOptions): () => Intl.DateTimeFormat {
  const of = once((one) => new Intl.DateTimeFormat(one, options));
  return () => of(locale());
}

/** How the person's own system writes times, where it speaks the language that is shown. */
export function locale(): string {
  const own = navigator.languages.find((one) => one.startsWith(currentLanguage()));
  return own ?? currentLanguage();
}
