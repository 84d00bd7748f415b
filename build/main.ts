/** The image's command: runs the function that FUNCTION_TARGET names, or `migrate`, from the bundle beside this file. */
import { createRequire } from 'node:module';

const target = process.env['FUNCTION_TARGET'] ?? '';
if (/^[a-z][a-z-]*$/.test(target)) {
  createRequire(import.meta.url)(`./${target}.cjs`);
} else {
  process.stderr.write('alertgest cannot start: FUNCTION_TARGET must name a function, e.g. receive\n');
  process.exitCode = 78;
}
