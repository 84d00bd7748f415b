/** config: whether the functions would start with this environment; every problem of all of them at once. */
import type * as z from 'zod';
import { CHANNEL_TYPES } from '../functions/notify/channels/index.ts';
import { readDestinations } from '../functions/notify/destinations.ts';
import { configSchema as buildDigest } from '../functions/build-digest/config.ts';
import { configSchema as classify } from '../functions/classify/config.ts';
import { configSchema as consoleConfig } from '../functions/console/config.ts';
import { configSchema as notify } from '../functions/notify/config.ts';
import { configSchema as receive } from '../functions/receive/config.ts';
import { configSchema as suppressCheck } from '../functions/suppress-check/config.ts';
import { parseConfig, readVariable, resolveEnvironment } from '../shared/env.ts';
import type { Environment } from '../shared/env.ts';
import { ConfigError } from '../shared/errors.ts';
import { UsageError, defineCommand } from './command.ts';

const SCHEMAS: Readonly<Record<string, z.ZodObject>> = {
  receive,
  classify,
  'suppress-check': suppressCheck,
  notify,
  'build-digest': buildDigest,
  console: consoleConfig,
};

export const command = defineCommand({
  help: `
config check: reads the variables of every function, the channels and the routes as the functions would at their start, and
prints every problem at once; exits 1 when there is one. Nothing is called or written.

  --only NAME      one function: ${Object.keys(SCHEMAS).join(', ')}

Example:
  ROUTES_FILE=docs/examples/routes/severities.yaml npm run --silent alertgest -- config check`,
  flags: { only: { type: 'string' } },
  words: ['check'],
  async run({ only }, [word]) {
    if (word !== 'check') throw new UsageError(`config knows "check", not "${word ?? ''}"`);
    const names = only === undefined ? Object.keys(SCHEMAS) : [only];
    if (only !== undefined && SCHEMAS[only] === undefined)
      throw new UsageError(`there is no function "${only}"`);
    const problems = await findProblems(resolveEnvironment(process.env), names);
    for (const [problem, functions] of problems)
      process.stdout.write(`${problem} (${functions.join(', ')})\n`);
    if (problems.size > 0) return 1;
    process.stdout.write(`usable: ${names.join(', ')}\n`);
    return 0;
  },
});

/** Problems with the functions that have them. */
async function findProblems(
  env: Environment,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const problems = new Map<string, string[]>();
  for (const name of names) {
    const schema = SCHEMAS[name];
    const found = [
      ...(schema === undefined ? [] : await problemsOf(() => parseConfig(schema, env))),
      ...(name === 'notify' ? await problemsOf(() => checkDestinations(env)) : []),
    ];
    for (const problem of new Set(found)) problems.set(problem, [...(problems.get(problem) ?? []), name]);
  }
  return problems;
}

async function checkDestinations(env: Environment): Promise<void> {
  const { channels } = await readDestinations(
    { ROUTES: readVariable(env, 'ROUTES'), NOTIFY_MIN_SEVERITY: 'warning' },
    env,
  );
  if (channels.length === 0)
    throw new ConfigError(
      `no channel is configured, nobody would be told; there are ${CHANNEL_TYPES.map(({ type }) => type).join(', ')}`,
    );
}

/** The lines of a ConfigError without its heading. */
async function problemsOf(work: () => unknown): Promise<readonly string[]> {
  try {
    await work();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.message.split('\n').map((line) => line.trim());
    return lines.filter((line) => line !== '' && !line.endsWith('usable:'));
  }
}
