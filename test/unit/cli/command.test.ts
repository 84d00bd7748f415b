import { describe, expect, it } from 'vitest';
import { defineCommand, readInteger, readUrl, UsageError } from '../../../cli/command.ts';

const seen: unknown[] = [];
const command = defineCommand({
  help: 'help',
  flags: { url: { type: 'string', default: 'x' }, loud: { type: 'boolean' } },
  words: ['FILE', '[MORE]'],
  async run(values, words) {
    seen.push(values, words);
    return 0;
  },
});

describe('defineCommand', () => {
  it('hands flags and words over', async () => {
    expect(await command.main(['a', '--url', 'y', 'b', '--loud'])).toBe(0);
    expect(seen).toEqual([{ url: 'y', loud: true }, ['a', 'b']]);
  });

  it.each([
    ['an unknown flag', ['a', '--lout'], "Unknown option '--lout'"],
    ['a flag without its value', ['a', '--url'], '--url'],
    ['a missing word', [], 'FILE is missing'],
    ['a word too many', ['a', 'b', 'c'], '"c" is one word too many'],
  ])('refuses %s', async (_what, words, message) => {
    const call = command.main(words);
    await expect(call).rejects.toThrow(UsageError);
    await expect(call).rejects.toThrow(message);
  });
});

it('reads numbers and addresses of flags strictly', () => {
  expect(readInteger('--port', '8080', 0, 65_535)).toBe(8080);
  for (const text of ['', '-1', '65536', '80.5', 'eighty'])
    expect(() => readInteger('--port', text, 0, 65_535)).toThrow(UsageError);
  expect(readUrl('--url', 'http://127.0.0.1:8080/')).toBe('http://127.0.0.1:8080');
  for (const text of ['127.0.0.1:8080', 'ftp://x', ''])
    expect(() => readUrl('--url', text)).toThrow(UsageError);
});
