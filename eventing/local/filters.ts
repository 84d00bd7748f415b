/**
 * Which events a Trigger wants. Attributes only, never data; by the time an event reaches a filter every attribute is
 * a string, as it travelled in a header. `filters`, when there are any, override `filter`.
 */
import type { FilterEntry, Trigger } from './manifest-schemas.ts';

type Attributes = Readonly<Record<string, string>>;
type Test = (value: string, wanted: string) => boolean;

/** Turns a Trigger's filters into one question about an event's attributes. */
export function createFilter(
  spec: Pick<Trigger['spec'], 'filter' | 'filters'>,
): (attributes: Attributes) => boolean {
  const { filters = [], filter } = spec;
  if (filters.length > 0) return (attributes) => filters.every((entry) => matches(entry, attributes));
  const wanted = Object.entries(filter?.attributes ?? {});
  return (attributes) => wanted.every(([name, value]) => matchesAttribute(attributes[name], value));
}

/** In `filter.attributes` the empty string stands for any value that is not empty. */
function matchesAttribute(value: string | undefined, wanted: string): boolean {
  return wanted === '' ? value !== undefined && value !== '' : value === wanted;
}

function matches(entry: FilterEntry, attributes: Attributes): boolean {
  if (entry.exact) return everyAttribute(entry.exact, attributes, (value, wanted) => value === wanted);
  if (entry.prefix)
    return everyAttribute(entry.prefix, attributes, (value, wanted) => value.startsWith(wanted));
  if (entry.suffix)
    return everyAttribute(entry.suffix, attributes, (value, wanted) => value.endsWith(wanted));
  if (entry.all) return entry.all.every((inner) => matches(inner, attributes));
  if (entry.any) return entry.any.some((inner) => matches(inner, attributes));
  return entry.not !== undefined && !matches(entry.not, attributes);
}

function everyAttribute(wanted: Attributes, attributes: Attributes, test: Test): boolean {
  return Object.entries(wanted).every(([name, text]) => {
    const value = attributes[name];
    return value !== undefined && test(value, text);
  });
}
