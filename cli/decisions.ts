/** decisions: the issues list as a file that can live in git: written from a console, and read into one. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { DependencyError } from '../shared/errors.ts';
import { request } from '../shared/http.ts';
import { UsageError, defineCommand, readUrl } from './command.ts';

const PATH = '/api/v1/decisions.yaml';
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

const importedSchema = z.object({ recorded: z.number(), unchanged: z.number(), expired: z.number() });

export const command = defineCommand({
  help: `
decisions export: prints every decision in force as YAML.
decisions import FILE: makes the decisions of a file ("-" is standard input). Those in force already change nothing, so
importing twice changes nothing; decisions that the file does not name stay. All of the file is taken, or none of it.

  --url URL      the console (default http://127.0.0.1:8080)
  --token TOKEN  its token (default CONSOLE_TOKEN)

Example:
  npm run --silent alertgest -- decisions export --url https://alertgest.example.com > decisions.yaml
  npm run --silent alertgest -- decisions import decisions.yaml`,
  flags: { url: { type: 'string', default: 'http://127.0.0.1:8080' }, token: { type: 'string' } },
  words: ['export|import', '[FILE]'],
  async run(values, [verb, file]) {
    const url = `${readUrl('--url', values.url)}${PATH}`;
    const token = values.token ?? process.env['CONSOLE_TOKEN'];
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    if (verb === 'export') {
      if (file !== undefined) throw new UsageError('export prints to standard output and takes no file');
      process.stdout.write(await call('GET', url, headers));
      return 0;
    }
    if (verb !== 'import') throw new UsageError(`decisions takes "export" or "import", not "${verb ?? ''}"`);
    if (file === undefined) throw new UsageError('FILE is missing');
    const text = readFileSync(file === '-' ? 0 : file, 'utf8');
    const answer = await call('PUT', url, { ...headers, 'content-type': 'application/yaml' }, text);
    const { recorded, unchanged, expired } = importedSchema.parse(JSON.parse(answer));
    process.stdout.write(`${recorded} recorded, ${unchanged} in force already, ${expired} over by now\n`);
    return 0;
  },
});

async function call(
  method: 'GET' | 'PUT',
  url: string,
  headers: Readonly<Record<string, string>>,
  text?: string,
): Promise<string> {
  const { status, body } = await request({
    method,
    url,
    headers: { ...headers },
    ...(text === undefined ? {} : { body: text }),
    maxBodyBytes: MAX_BODY_BYTES,
    timeoutMs: TIMEOUT_MS,
  });
  if (status === 200) return body;
  if (status === 401) throw new DependencyError('the console wants a token: set CONSOLE_TOKEN');
  throw new DependencyError(`the console answered ${status}: ${readDetail(body)}`);
}

/** What a problem says, or the beginning of whatever was answered. */
function readDetail(body: string): string {
  try {
    return z.object({ detail: z.string() }).parse(JSON.parse(body)).detail;
  } catch {
    return body.slice(0, 200);
  }
}
