/** One of twelve hues, always the same for the same id. */
export function hueOf(id: string): string {
  let sum = 0;
  for (let at = 0; at < id.length; at += 1) sum = (sum * 31 + id.charCodeAt(at)) >>> 0;
  return `hue-${sum % 12}`;
}
