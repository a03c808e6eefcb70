import { once } from "./once";
import { currentLanguage } from "./texts";

const order = ["zero", "one", "two", "few", "many", "other"] as const;
const plurals = once((language) => {
  const rules = new Intl.PluralRules(language);
  const { pluralCategories } = rules.resolvedOptions();
  return { rules, forms: order.filter((one) => pluralCategories.includes(one)) };
});
const figures = once((language) => new Intl.NumberFormat(language));
const lists = once((language) => new Intl.ListFormat(language, { style: "short", type: "unit" }));

/**
 * The form of a sentence for a count, of those its catalogue gives with bars between:
 * in the order zero, one, two, few, many, other, without those the language does not have.
 */
export function counted(forms: string, count: number): string {
  const { rules, forms: categories } = plurals(currentLanguage());
  return forms.split("|")[categories.indexOf(rules.select(count))] ?? forms;
}

/** A count as the language writes it. */
export function figure(count: number): string {
  return figures(currentLanguage()).format(count);
}

/** Things one after another, as the language tells them. */
export function listed(things: readonly string[]): string {
  return lists(currentLanguage()).format(things);
}
