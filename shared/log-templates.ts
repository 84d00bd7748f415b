/**
 * Log lines as templates with counts: what varies becomes `<*>`, so a thousand lines are a few sentences.
 *
 * The algorithm is Drain (He, Zhu, Zheng, Lyu: "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017):
 * a line goes down a tree by its number of words and its first word, and joins the most similar template of the leaf, or
 * founds one. Memory and time are bounded: lines, words of a line and templates of a leaf are all counted.
 */

export interface LogTemplate {
  readonly template: string;
  readonly count: number;
  /** The first line that belonged to it. */
  readonly example: string;
}

const MAX_WORDS = 40;
/** Share of equal words from which a line belongs to a template (the paper's st). */
const SIMILAR = 0.5;
const MAX_PER_LEAF = 50;
const ANY = '<*>';

/** What varies by its look, whatever stands around it. */
const VARIABLES: ReadonlyArray<RegExp> = [
  /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*/g,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b/g,
  /\b0x[0-9a-f]+\b/gi,
  /\b(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,}\b/gi,
  /[+-]?\b\d+(?:[.,:]\d+)*(?:ns|µs|us|ms|s|m|h|d|%|[kmgt]i?b?)?\b/gi,
];

interface Group {
  words: string[];
  count: number;
  readonly example: string;
}

/** The most frequent templates of some lines, most first. */
export function toTemplates(lines: readonly string[], limit: number): LogTemplate[] {
  const leaves = new Map<string, Group[]>();
  for (const line of lines) {
    const words = toWords(line);
    if (words.length === 0) continue;
    const [first = ''] = words;
    const key = `${words.length} ${/\d|<\*>/.test(first) ? ANY : first}`;
    const leaf = leaves.get(key) ?? [];
    leaves.set(key, leaf);
    addTo(leaf, words, line);
  }
  return [...leaves.values()]
    .flat()
    .toSorted((a, b) => b.count - a.count || (a.example < b.example ? -1 : 1))
    .slice(0, limit)
    .map(({ words, count, example }) => ({ template: words.join(' '), count, example }));
}

function addTo(leaf: Group[], words: string[], line: string): void {
  let best: Group | undefined;
  let bestShare = 0;
  for (const group of leaf) {
    const share = similarity(group.words, words);
    if (share > bestShare) [best, bestShare] = [group, share];
  }
  if (best !== undefined && (bestShare >= SIMILAR || leaf.length >= MAX_PER_LEAF)) {
    best.words = best.words.map((word, at) => (word === words[at] ? word : ANY));
    best.count += 1;
  } else if (leaf.length < MAX_PER_LEAF) {
    leaf.push({ words, count: 1, example: line });
  }
}

function similarity(template: readonly string[], words: readonly string[]): number {
  let same = 0;
  for (const [at, word] of template.entries()) if (word === words[at]) same += 1;
  return same / template.length;
}

function toWords(line: string): string[] {
  const masked = VARIABLES.reduce((text, variable) => text.replace(variable, ANY), line);
  return masked
    .split(/\s+/)
    .filter((word) => word !== '')
    .slice(0, MAX_WORDS);
}
