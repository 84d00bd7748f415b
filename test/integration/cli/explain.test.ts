import { expect, it } from 'vitest';
import { runCli } from '../../support/cli.ts';

const GOOD = JSON.stringify({ labels: { alertname: 'A', namespace: 'shop', pod: 'api-7d9f8b6c5-x2x7p' } });
const parse = (stdout: string): Array<Record<string, unknown>> =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it('answers every line in order, broken ones too, and then exits 1', async () => {
  const lines = [GOOD, '{"labels":', '', 'null', GOOD, '{"labels":{"alertname":"\ud800"}}', GOOD];
  const { code, stdout, stderr } = await runCli(['explain'], { input: `${lines.join('\n')}\n` });
  const answers = parse(stdout);
  expect(answers.map((answer) => 'error' in answer)).toEqual([false, true, true, true, false, false, false]);
  expect(answers[4]).toEqual(answers[0]);
  expect(stderr).toBe('3 lines could not be used\n');
  expect(code).toBe(1);
});

it('exits 0 when every line could be used, and streams many', async () => {
  const count = 20_000;
  const { code, stdout } = await runCli(['explain', '--cluster', 'home'], {
    input: `${GOOD}\n`.repeat(count),
  });
  expect(code).toBe(0);
  expect(parse(stdout)).toHaveLength(count);
});

it.each([
  ['an unknown command', ['explode'], 'there is no command "explode"'],
  ['an unknown flag', ['explain', '--loud'], "Unknown option '--loud'"],
  ['a missing file', ['replay'], 'FILE is missing'],
  ['an unknown type', ['event', 'dev.alertgest.nothing'], 'there is no type "dev.alertgest.nothing"'],
])('exits 2 on %s', async (_what, words, message) => {
  const { code, stdout, stderr } = await runCli(words);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(message);
});

it.each(['run', 'demo', 'explain', 'replay', 'event', 'doctor', 'migrate'])(
  '%s --help shows an example',
  async (name) => {
    const { code, stdout } = await runCli([name, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('Example:\n');
  },
);
