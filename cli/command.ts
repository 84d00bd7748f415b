/** What a command of the tool is: its help, its flags, and what it does; the same shape for all. */
import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';

type Flags = NonNullable<ParseArgsConfig['options']>;
type Values<F extends Flags> = ReturnType<
  typeof parseArgs<{ options: F; allowPositionals: true; strict: true }>
>['values'];

/** The words of the command line do not fit; the tool says so and exits 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** A command as main.ts calls it. */
export interface Command {
  /** Printed by --help: what it does, its flags, an example. */
  readonly help: string;
  /** Runs with the words after the command's name; answers the exit code. */
  main(words: readonly string[]): Promise<number>;
}

/** Makes a command; unknown flags and too many or too few words are usage errors before `run` is called. */
export function defineCommand<const F extends Flags>(definition: {
  readonly help: string;
  readonly flags: F;
  /** Names of the words that follow the command; those in brackets may be left out. */
  readonly words: readonly string[];
  readonly run: (values: Values<F>, words: readonly string[]) => Promise<number>;
}): Command {
  return {
    help: definition.help,
    async main(argv) {
      const { values, words } = readWords(argv, definition.flags);
      const missing = definition.words.filter((word) => !word.startsWith('[')).at(words.length);
      if (missing !== undefined) throw new UsageError(`${missing} is missing`);
      const extra = words[definition.words.length];
      if (extra !== undefined) throw new UsageError(`"${extra}" is one word too many`);
      return definition.run(values, words);
    },
  };
}

/** A whole number of a flag within bounds. */
export function readInteger(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max)
    throw new UsageError(`${flag} takes a whole number from ${min} to ${max}, not "${text}"`);
  return value;
}

/** An http or https address of a flag, without a slash at its end. */
export function readUrl(flag: string, text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`${flag} takes an address such as http://127.0.0.1:8080, not "${text}"`);
  return text.replace(/\/+$/, '');
}

function readWords<F extends Flags>(
  argv: readonly string[],
  flags: F,
): { values: Values<F>; words: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: flags,
      allowPositionals: true,
      strict: true,
    });
    return { values, words: positionals };
  } catch (error) {
    // Node's text ends with advice on "--" that fits no command here.
    const text = error instanceof Error ? error.message.split('. To specify')[0] : undefined;
    throw new UsageError(text ?? 'the flags cannot be read');
  }
}
