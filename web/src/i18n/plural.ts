import { currentLanguage } from "./texts";

/**
 * The form of a sentence for a count, of those its catalogue gives with bars between:
 * in the order zero, one, two, few, many, other, without those the language does not have.
 */
export function counted(forms: string, count: number): string {
  const rules = new Intl.PluralRules(currentLanguage());
  const { pluralCategories } = rules.resolvedOptions();
  const categories = order.filter((one) => pluralCategories.includes(one));
  return forms.split("|")[categories.indexOf(rules.select(count))] ?? forms;
}

/** A count as the language writes it. */
export function figure(count: number): string {
  return count.toLocaleString(currentLanguage());
}

/** Things one after another, as the language tells them. */
export function listed(things: readonly string[]): string {
  return new Intl.ListFormat(currentLanguage(), { style: "short", type: "unit" }).format(things);
}

const order = ["zero", "one", "two", "few", "many", "other"] as const;
