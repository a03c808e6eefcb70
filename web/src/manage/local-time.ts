/** A moment as `datetime-local` writes it, by the clock of a time zone. */
export function localOf(time: Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(time);
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((one) => one.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}T${part("hour")}:${part("minute")}`;
}

/** The moment a clock in a time zone shows this; of two in autumn the earlier. */
export function timeOf(local: string, timeZone: string): Date {
  const asUtc = Date.parse(`${local}Z`);
  // Tried with the offsets of the day before and the day after: one of them holds.
  const offsets = [asUtc - day, asUtc + day].map((near) => Date.parse(`${localOf(new Date(near), timeZone)}Z`) - Math.floor(near / minute) * minute);
  const found = offsets.map((offset) => new Date(asUtc - offset)).filter((time) => localOf(time, timeZone) === local);
  return found.toSorted((a, b) => a.getTime() - b.getTime())[0] ?? new Date(asUtc - (offsets[0] ?? 0));
}

const minute = 60_000;
const day = 86_400_000;
