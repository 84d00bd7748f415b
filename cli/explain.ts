/** explain: which issue an alert belongs to, which labels counted, which did not and why. One line in, one line out. */
import { once } from 'node:events';
import { classifyByRules, exprFromGeneratorUrl } from '../functions/classify/rules.ts';
import { normalizeAlert } from '../shared/alert.ts';
import { toPattern } from '../shared/pattern.ts';
import type { Severity } from '../shared/severity.ts';
import { defineCommand } from './command.ts';
import { readLines } from './lines.ts';

/** What is said of one alert. */
export interface Explanation {
  readonly pattern: string;
  /** Label → the value of it that counted. */
  readonly kept: Readonly<Record<string, string>>;
  /** Label → why it did not count. */
  readonly dropped: Readonly<Record<string, string>>;
  readonly category: string;
  readonly severity: Severity;
  /** The row of the rule table that chose the category. */
  readonly rule: string;
}

export const command = defineCommand({
  help: `
explain: reads alerts as JSON lines (objects as in a webhook's alerts[]) and writes one JSON line each, in the same order:
{"pattern","kept","dropped","category","severity","rule"}. A line that is no usable alert becomes {"error"}; then the exit code is 1.

  --cluster NAME   the cluster the alerts belong to, as CLUSTER_NAME of the functions (default: none)

Example:
  echo '{"labels":{"alertname":"KubePodCrashLooping","namespace":"shop","pod":"api-7d9f8b6c5-x2x7p"}}' \\
    | npm run --silent alertgest -- explain`,
  flags: { cluster: { type: 'string', default: '' } },
  words: [],
  async run({ cluster }) {
    const options = { cluster, receivedAt: new Date() };
    let failed = 0;
    // A reader that has seen enough (head) closes the pipe; that is no failure.
    process.stdout.on('error', () => process.exit(0));
    for await (const lines of readLines(process.stdin.setEncoding('utf8'))) {
      const answers = lines.map((line) => explainLine(line, options));
      failed += answers.filter((answer) => 'error' in answer).length;
      const text = answers.map((answer) => `${JSON.stringify(answer)}\n`).join('');
      if (!process.stdout.write(text)) await once(process.stdout, 'drain');
    }
    if (failed > 0) process.stderr.write(`${failed} ${failed === 1 ? 'line' : 'lines'} could not be used\n`);
    return failed > 0 ? 1 : 0;
  },
});

/** Explains one line; never throws. */
export function explainLine(
  line: string,
  options: { readonly cluster: string; readonly receivedAt: Date },
): Explanation | { readonly error: string } {
  try {
    const alert = normalizeAlert(JSON.parse(line), 'firing', options);
    if (typeof alert === 'string') return { error: `not a usable alert: ${alert}` };
    const { pattern, kept, dropped, severity } = toPattern(alert, options);
    const expr = exprFromGeneratorUrl(alert.generatorUrl);
    const { category, rule } = classifyByRules({ ...alert, expr });
    return { pattern, kept, dropped, category, severity, rule };
  } catch (error) {
    return { error: error instanceof SyntaxError ? `not JSON: ${error.message}` : 'cannot be read' };
  }
}
