/**
 * Scores the rule table against hand-labelled alert rules, with and without their expressions.
 *
 * Lenient counts a prediction as right when it is the gold category or one of its alternatives; strict only the former.
 * Run: node bench/rules.ts [corpus.jsonl]
 */
import { existsSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { CATEGORIES, classifyByRules, type Category } from '../functions/classify/rules.ts';

/** Where the corpus lies, relative to the project. */
export const RULES_CORPUS = new URL('../../shared/corpora/rules.jsonl', import.meta.url);

/** One labelled rule of the corpus, as far as scoring needs it. */
export interface LabelledRule {
  readonly service: string;
  readonly alertname: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly category_gold: Category;
  readonly category_alt: readonly Category[];
  readonly severity_gold: string;
}

/** Precision, recall and their harmonic mean of one category. */
export interface CategoryScore {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** How well the table did on a set of rules. */
export interface RulesScore {
  readonly rules: number;
  readonly strict: number;
  readonly lenient: number;
  readonly strictPerCategory: ReadonlyMap<Category, CategoryScore>;
  readonly lenientPerCategory: ReadonlyMap<Category, CategoryScore>;
  /** gold → predicted → count, strict. */
  readonly confusion: ReadonlyMap<Category, ReadonlyMap<Category, number>>;
}

/** The labelled rules, or undefined when the corpus is not there. */
export function readRulesCorpus(file: URL | string = RULES_CORPUS): LabelledRule[] | undefined {
  if (!existsSync(file)) return undefined;
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LabelledRule);
}

/** Classifies every rule and compares with its label. */
export function scoreRules(rules: readonly LabelledRule[], withExpr: boolean): RulesScore {
  const strictPairs: [Category, Category][] = [];
  const lenientPairs: [Category, Category][] = [];
  for (const rule of rules) {
    const predicted = predict(rule, withExpr);
    const right = predicted === rule.category_gold || rule.category_alt.includes(predicted);
    strictPairs.push([rule.category_gold, predicted]);
    lenientPairs.push([rule.category_gold, right ? rule.category_gold : predicted]);
  }
  const strictPerCategory = scoreCategories(strictPairs);
  const lenientPerCategory = scoreCategories(lenientPairs);
  return {
    rules: rules.length,
    strict: meanF1(strictPerCategory),
    lenient: meanF1(lenientPerCategory),
    strictPerCategory,
    lenientPerCategory,
    confusion: countPairs(strictPairs),
  };
}

function predict(rule: LabelledRule, withExpr: boolean): Category {
  return classifyByRules({
    labels: { ...rule.labels, alertname: rule.alertname },
    annotations: rule.annotations,
    expr: withExpr ? rule.expr : undefined,
  }).category;
}

function scoreCategories(pairs: readonly (readonly [Category, Category])[]): Map<Category, CategoryScore> {
  const scores = new Map<Category, CategoryScore>();
  for (const category of CATEGORIES) {
    const gold = pairs.filter(([wanted]) => wanted === category).length;
    const predicted = pairs.filter(([, got]) => got === category).length;
    const hits = pairs.filter(([wanted, got]) => wanted === category && got === category).length;
    if (gold === 0 && predicted === 0) continue;
    scores.set(category, {
      precision: predicted === 0 ? 0 : hits / predicted,
      recall: gold === 0 ? 0 : hits / gold,
      f1: hits === 0 ? 0 : (2 * hits) / (gold + predicted),
    });
  }
  return scores;
}

function meanF1(scores: ReadonlyMap<Category, CategoryScore>): number {
  let sum = 0;
  for (const { f1 } of scores.values()) sum += f1;
  return scores.size === 0 ? 0 : sum / scores.size;
}

function countPairs(pairs: readonly (readonly [Category, Category])[]): Map<Category, Map<Category, number>> {
  const counts = new Map<Category, Map<Category, number>>();
  for (const [wanted, got] of pairs) {
    const row = counts.get(wanted) ?? new Map<Category, number>();
    row.set(got, (row.get(got) ?? 0) + 1);
    counts.set(wanted, row);
  }
  return counts;
}

function printScore(title: string, score: RulesScore): void {
  console.log(
    `\n${title}: ${score.rules} rules, macro-F1 lenient ${score.lenient.toFixed(4)}, strict ${score.strict.toFixed(4)}`,
  );
  console.log(`${'category'.padEnd(12)} lenient P/R/F1       strict P/R/F1`);
  for (const category of CATEGORIES) {
    console.log(
      `${category.padEnd(12)} ${formatScore(score.lenientPerCategory.get(category))}    ${formatScore(score.strictPerCategory.get(category))}`,
    );
  }
}

function formatScore(score: CategoryScore | undefined): string {
  if (score === undefined) return '-'.padEnd(17);
  return [score.precision, score.recall, score.f1].map((part) => part.toFixed(3)).join(' ');
}

/** The confusion table, line by line: what each category was taken for. */
export function toConfusion(score: RulesScore): string[] {
  const head = ' '.repeat(12) + CATEGORIES.map((name) => name.slice(0, 5).padStart(6)).join('');
  const rows = CATEGORIES.map((wanted) => {
    const row = score.confusion.get(wanted);
    return wanted.padEnd(12) + CATEGORIES.map((got) => String(row?.get(got) ?? '·').padStart(6)).join('');
  });
  return ['gold \\ predicted, strict', head, ...rows];
}

function printConfusion(score: RulesScore): void {
  console.log(`\n${toConfusion(score).join('\n')}`);
}

function printSpeed(rules: readonly LabelledRule[]): void {
  const inputs = rules.map(({ labels, annotations, alertname, expr }) => ({
    labels: { ...labels, alertname },
    annotations,
    expr,
  }));
  for (let round = 0; round < 5; round += 1) inputs.forEach(classifyByRules);
  const rounds = 20;
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) inputs.forEach(classifyByRules);
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1_000_000;
  console.log(
    `\nspeed: ${Math.round((rounds * inputs.length) / seconds)} alerts per second of processor time, expressions included`,
  );
}

function main(): void {
  const file = process.argv[2] ?? RULES_CORPUS;
  const rules = readRulesCorpus(file);
  if (rules === undefined) {
    console.log(`No corpus at ${String(file)}: nothing to score.`);
    return;
  }
  const withExpr = scoreRules(rules, true);
  printScore('with expressions', withExpr);
  printConfusion(withExpr);
  const withoutExpr = scoreRules(rules, false);
  printScore('without expressions', withoutExpr);
  printConfusion(withoutExpr);
  printSpeed(rules);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
