import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyRingVariable, signLink, verifyLink } from '../../../shared/decision-link.ts';
import type { KeyRing } from '../../../shared/decision-link.ts';

const KEYS: KeyRing = ['n'.repeat(32), 'o'.repeat(32)];
const OTHER: KeyRing = ['x'.repeat(32)];
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const uuid = fc.uuid();

describe('the token of a decision link', () => {
  it('is 48 characters of an address and names its row', () => {
    const id = randomUUID();
    expect(signLink(KEYS, id)).toMatch(/^v1\.[\w-]{22}\.[\w-]{22}$/);
    expect(signLink(KEYS, id)).toHaveLength(48);
    expect(verifyLink(KEYS, signLink(KEYS, id))).toBe(id);
  });

  it('comes back as the id it was made of, whatever that is', () => {
    fc.assert(
      fc.property(uuid, (id) => {
        expect(verifyLink(KEYS, signLink(KEYS, id))).toBe(id);
      }),
    );
  });

  it('made with the old key is still good, and is made with the new one', () => {
    const id = randomUUID();
    expect(verifyLink(KEYS, signLink(['o'.repeat(32)], id))).toBe(id);
    expect(verifyLink(['n'.repeat(32)], signLink(KEYS, id))).toBe(id);
    expect(verifyLink(['o'.repeat(32)], signLink(KEYS, id))).toBeNull();
  });

  it('made with another key is none', () => {
    fc.assert(
      fc.property(uuid, (id) => {
        expect(verifyLink(KEYS, signLink(OTHER, id))).toBeNull();
      }),
    );
  });

  it('is none when any character of it is another', () => {
    fc.assert(
      fc.property(
        uuid,
        fc.nat(47),
        fc.constantFrom(...ALPHABET.split(''), '.', ' ', '%', 'é'),
        (id, at, character) => {
          const token = signLink(KEYS, id);
          fc.pre(token[at] !== character);
          expect(verifyLink(KEYS, `${token.slice(0, at)}${character}${token.slice(at + 1)}`)).toBeNull();
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('is none when it is cut, or longer', () => {
    fc.assert(
      fc.property(uuid, fc.nat(47), fc.string({ minLength: 1, maxLength: 5 }), (id, length, more) => {
        const token = signLink(KEYS, id);
        expect(verifyLink(KEYS, token.slice(0, length))).toBeNull();
        expect(verifyLink(KEYS, token + more)).toBeNull();
      }),
    );
  });

  it('is none when it is anything else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(verifyLink(KEYS, text)).toBeNull();
      }),
    );
  });
});

describe('DECISION_KEYS', () => {
  it.each([
    [undefined, undefined],
    ['a'.repeat(32), ['a'.repeat(32)]],
    [` ${'a'.repeat(32)}, ${'b'.repeat(40)}`, ['a'.repeat(32), 'b'.repeat(40)]],
  ])('%j is a ring', (text, ring) => {
    expect(keyRingVariable.parse(text)).toEqual(ring);
  });

  it.each(['short', `${'a'.repeat(32)},`, [1, 2, 3].map((n) => String(n).repeat(32)).join(',')])(
    '%j is refused without being shown',
    (text) => {
      const { error } = keyRingVariable.safeParse(text);
      expect(error?.issues[0]?.message).toContain('32 characters');
      expect(error?.message).not.toContain(text);
    },
  );
});
