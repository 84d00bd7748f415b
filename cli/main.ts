/** The tool: `npm run --silent alertgest -- <command>`. Exit codes: 0 done, 1 failed, 2 wrong words. */
import { describeError } from '../shared/log.ts';
import { UsageError } from './command.ts';
import type { Command } from './command.ts';

const CALL = 'npm run --silent alertgest --';

interface Entry {
  readonly what: string;
  /** Commands are loaded when called, so that each starts with no more than it needs. */
  readonly load: () => Promise<{ readonly command: Command }>;
}

const COMMANDS = new Map<string, Entry>([
  ['run', { what: 'everything on this machine, until Ctrl-C', load: () => import('./run.ts') }],
  ['demo', { what: 'the same with a sample night, pushes and its digest', load: () => import('./demo.ts') }],
  ['explain', { what: 'which issue an alert belongs to, and why', load: () => import('./explain.ts') }],
  ['replay', { what: 'post a recorded night to a receiver', load: () => import('./replay.ts') }],
  ['event', { what: 'print a ready CloudEvent of a type', load: () => import('./event.ts') }],
  ['doctor', { what: 'what is reachable, what is not, how to fix it', load: () => import('./doctor.ts') }],
  ['decisions', { what: 'decisions as a file: export, import', load: () => import('./decisions.ts') }],
  ['simulate', { what: 'the last 30 days through changed decisions', load: () => import('./simulate.ts') }],
  ['send-test', { what: 'one test message through a channel', load: () => import('./send-test.ts') }],
  ['routes', { what: 'who would hear of an alert, when and why', load: () => import('./routes.ts') }],
  ['config', { what: 'every problem of the variables and routes', load: () => import('./config.ts') }],
  ['bench', { what: 'rank the models of your Ollama', load: () => import('./bench.ts') }],
  ['digest', { what: 'what a digest would say, or the noise of a month', load: () => import('./digest.ts') }],
  [
    'test-alert',
    { what: 'an alert through a live Alertmanager to the phone', load: () => import('./test-alert.ts') },
  ],
  ['migrate', { what: 'bring the schema of DATABASE_URL up to date', load: () => import('./migrate.ts') }],
]);

process.exitCode = await main(process.argv.slice(2));

async function main([name = '--help', ...words]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h' || name === 'help') return print(toHelp());
  const entry = COMMANDS.get(name);
  if (entry === undefined) return complain(`there is no command "${name}"`, CALL);
  try {
    const { command } = await entry.load();
    if (words.includes('--help') || words.includes('-h')) return print(command.help);
    return await command.main(words);
  } catch (error) {
    if (error instanceof UsageError) return complain(error.message, `${CALL} ${name}`);
    const { error: text, cause } = describeError(error);
    const because = cause === undefined ? '' : ` (${cause})`;
    process.stderr.write(`alertgest ${name}: ${text.replace(/^\w*Error: /, '')}${because}\n`);
    return 1;
  }
}

function toHelp(): string {
  const lines = [...COMMANDS].map(([name, { what }]) => `  ${name.padEnd(10)} ${what}`);
  return `alertgest: alert triage, Alertmanager in, one push per incident out

Usage: ${CALL} <command> [flags]

${lines.join('\n')}

Each command has --help with an example, such as
  ${CALL} explain --help`;
}

function print(text: string): number {
  process.stdout.write(`${text.trim()}\n`);
  return 0;
}

function complain(problem: string, call: string): number {
  process.stderr.write(`alertgest: ${problem}\nSee: ${call} --help\n`);
  return 2;
}
