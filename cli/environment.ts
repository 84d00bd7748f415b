/** The variables of the person who calls the tool, as the functions would read them. */
import { accessSync, constants } from 'node:fs';
import type { Environment } from '../shared/env.ts';

/** What npm adds for its scripts. */
const FROM_NPM = /^(npm_|INIT_CWD$)/;

/**
 * A person's shell holds `…_FILE` variables of other programs, whose files may not exist; the functions take an
 * unreadable one for a broken mount. Here such a variable is left out, and `say` is told.
 */
export function readEnvironment(raw: Environment, say: (line: string) => void): Environment {
  return Object.fromEntries(
    Object.entries(raw).filter(([name, value]) => {
      if (FROM_NPM.test(name)) return false;
      if (!name.endsWith('_FILE') || value === undefined || value === '' || isReadable(value)) return true;
      say(`${name} names a file that cannot be read; it is left out.`);
      return false;
    }),
  );
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
