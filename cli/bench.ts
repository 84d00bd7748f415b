/** bench models: ranks the models of an Ollama on labelled alerts: agreement, time, tokens. */
import { resolveEnvironment } from '../shared/env.ts';
import { ConfigError } from '../shared/errors.ts';
import { createModel } from '../shared/model.ts';
import type { Model } from '../shared/model.ts';
import { modelConfig } from '../shared/model-config.ts';
import { UsageError, defineCommand, readInteger } from './command.ts';
import { readFileCases, readHistoryCases, takeEvenly, toExampleCases } from './model-cases.ts';
import type { ModelCase } from './model-cases.ts';
import { rank, tryModel } from './model-score.ts';
import type { ModelScore } from './model-score.ts';
import { createProgress } from './progress.ts';

const LIST_TIMEOUT_MS = 5_000;

export const command = defineCommand({
  help: `
bench models: asks the models of your Ollama about labelled alerts, with the prompt and the checks that classify uses, and
ranks them by how often they agree. Reads only; what people decided here is the label, when DATABASE_URL is set.

  --models A,B     only these; without it every model that Ollama has
  --cases N        at most this many alerts for each (default 40)
  --from FILE      labelled rules instead, one JSON object a line: alertname, labels, annotations, category_gold, severity_gold
  --examples       the examples of the rule table instead of the history
  --timeout S      seconds for one alert (default 120)
  --json           the numbers as JSON

Example:
  OLLAMA_BASE_URL=http://127.0.0.1:11434 npm run --silent alertgest -- bench models --examples --cases 20`,
  flags: {
    models: { type: 'string' },
    cases: { type: 'string', default: '40' },
    from: { type: 'string' },
    examples: { type: 'boolean', default: false },
    timeout: { type: 'string', default: '120' },
    json: { type: 'boolean', default: false },
  },
  words: ['models'],
  async run({ models, cases, from, examples, timeout, json }, [what]) {
    if (what !== 'models') throw new UsageError(`bench knows models, not "${what ?? ''}"`);
    const env = resolveEnvironment(process.env);
    const config = modelConfig.parse(env);
    const { OLLAMA_BASE_URL: baseUrl } = config;
    if (baseUrl === undefined)
      throw new ConfigError('OLLAMA_BASE_URL is not set, e.g. http://127.0.0.1:11434');
    const all = await readCases(from, examples, env['DATABASE_URL']);
    if (all.length === 0)
      throw new UsageError('there is nothing labelled yet: decide on some issues, or use --examples');
    const chosen = takeEvenly(all, readInteger('--cases', cases, 1, 5_000));
    const model = createModel({ baseUrl });
    const names = models?.split(',').map((name) => name.trim()) ?? (await listNames(model));
    const scores: ModelScore[] = [];
    const progress = createProgress(process.stderr, 'bench models', names.length * chosen.length);
    let done = 0;
    for (const name of names) {
      const options = {
        numCtx: config.OLLAMA_NUM_CTX,
        temperature: config.OLLAMA_TEMPERATURE,
        seed: config.OLLAMA_SEED,
        includeText: config.LLM_INCLUDE_TEXT,
        timeoutMs: readInteger('--timeout', timeout, 1, 3_600) * 1_000,
      };
      scores.push(await tryModel(model, name, chosen, options, () => progress.update(++done, name)));
    }
    progress.end();
    const ranked = rank(scores);
    process.stdout.write(`${json ? JSON.stringify(ranked, null, 2) : toTable(ranked)}\n`);
    return 0;
  },
});

async function readCases(
  from: string | undefined,
  examples: boolean,
  databaseUrl: string | undefined,
): Promise<ModelCase[]> {
  if (from !== undefined) return readFileCases(from);
  return examples || databaseUrl === undefined ? toExampleCases() : readHistoryCases(databaseUrl);
}

async function listNames(model: Model): Promise<string[]> {
  const entries = await model.list(AbortSignal.timeout(LIST_TIMEOUT_MS), LIST_TIMEOUT_MS);
  if (entries.length === 0) throw new UsageError('Ollama has no model yet: ollama pull llama3.1:8b');
  return entries.map(({ name }) => name);
}

/** The ranking as people read it. Pure. */
export function toTable(scores: readonly ModelScore[]): string {
  const header = [
    'model',
    'usable',
    'category',
    'concern',
    'median',
    'slowest',
    'tokens in',
    'out',
    'without answer',
  ];
  const rows = scores.map((score) => [
    score.model,
    `${score.usable}/${score.cases}`,
    toPercent(score.category),
    toPercent(score.concern),
    `${(score.medianMs / 1_000).toFixed(1)} s`,
    `${(score.slowestMs / 1_000).toFixed(1)} s`,
    String(score.promptTokens),
    String(score.outputTokens),
    Object.entries(score.failures)
      .map(([reason, count]) => `${reason} ${count}`)
      .join(', '),
  ]);
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function toPercent(share: number | null): string {
  return share === null ? '–' : `${Math.round(share * 100)} %`;
}
