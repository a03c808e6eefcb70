import { once } from "@/i18n/once";
import { locale, written } from "@/ui/dates";

const dates = written({ dateStyle: "medium" });
const relative = once((language) => new Intl.RelativeTimeFormat(language, { numeric: "auto" }));

/** A day, as it is written where one is. */
export function date(time: Date): string {
  return dates().format(time);
}

const steps = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
] as const;

/** How long ago something was, roughly. */
export function ago(time: Date, now = Date.now()): string {
  const seconds = Math.max(0, (now - time.getTime()) / 1000);
  const [unit, length] = steps.find(([, one]) => seconds >= one) ?? (["second", 1] as const);
  return relative(locale()).format(unit === "second" ? 0 : -Math.floor(seconds / length), unit);
}
