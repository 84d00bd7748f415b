/** Which digests there are: one of everything, and those of teams as the routes file names them. */
import * as z from 'zod';
import { AppError, ConfigError } from '../../shared/errors.ts';
import type { DigestDefinition } from './handler.ts';

/** The digest that everybody's channels get; it is always built. */
export const EVERYTHING: DigestDefinition = { name: 'all', matches: null };

const digestsSchema = z.looseObject({
  digests: z
    .array(
      z.looseObject({
        name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/),
        matchers: z
          .union([z.string(), z.array(z.string())])
          .default([])
          .transform((text) => (typeof text === 'string' ? [text] : text)),
      }),
    )
    .default([]),
});

/** Reads the digests of a routes file; what else is in it is notify's to judge. Its readers are loaded only for one. */
export async function readDefinitions(text: string): Promise<readonly DigestDefinition[]> {
  const [{ parse }, { matchesAll, parseMatchers }] = await Promise.all([
    import('yaml'),
    import('../../shared/matchers.ts'),
  ]);
  try {
    const { digests } = digestsSchema.parse(parse(text, { merge: true, maxAliasCount: 100 }) ?? {});
    const teams = digests
      .filter(({ name }) => name !== EVERYTHING.name)
      .map(({ name, matchers }) => {
        const parsed = matchers.flatMap((matcher) => parseMatchers(matcher));
        return {
          name,
          matches: (labels: Readonly<Record<string, string>>) => matchesAll(parsed, labels),
        };
      });
    return [EVERYTHING, ...teams];
  } catch (error) {
    const why = error instanceof AppError ? error.message : 'it is not YAML with a list of digests';
    throw new ConfigError(`ROUTES: the digests of the routes file are not usable: ${why}; notify says where`);
  }
}
