/**
 * What a PromQL expression reads: the series and the labels it selects them by. Not a parser (promtool is), only enough to
 * hold every query against the metric contract.
 */

export interface Selector {
  readonly series: string;
  readonly labels: readonly string[];
  /** The same labels with what they are compared with. */
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

const WORDS = new Set(
  'and or unless by without on ignoring group_left group_right bool offset start end inf nan'.split(' '),
);

/** The selectors of an expression, in their order. */
export function readSelectors(expr: string): Selector[] {
  const strings: string[] = [];
  const text = expr
    .replace(/"(?:[^"\\]|\\.)*"/g, (value) => `"${strings.push(value) - 1}"`)
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ');
  const found: Selector[] = [];
  for (const [, series = '', matchers] of text.matchAll(
    /(?<![\w:"])([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?(?!\w*\s*\()/g,
  )) {
    if (WORDS.has(series.toLowerCase())) continue;
    const selected = Array.from(
      (matchers ?? '').matchAll(/([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"(\d+)"/g),
      ([, label = '', operator = '', at = '']) => ({
        label,
        operator,
        value: JSON.parse(strings[Number(at)] ?? '""') as string,
      }),
    );
    found.push({ series, labels: selected.map(({ label }) => label), matchers: selected });
  }
  return found;
}

/** The labels that an expression groups or joins by. */
export function readGrouping(expr: string): string[] {
  return Array.from(expr.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g), ([, list = '']) => list)
    .flatMap((list) => list.split(','))
    .map((label) => label.trim())
    .filter((label) => label !== '');
}
