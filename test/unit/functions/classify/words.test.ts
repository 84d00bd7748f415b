import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simplifyWord, splitWords } from '../../../../functions/classify/words.ts';

describe('splitWords', () => {
  it.each([
    ['KubePodCrashLooping', 'kube pod crash looping'],
    ['HAProxyBackend4xx', 'ha proxy backend4xx'],
    ['PVCsFull', 'pvcs full'],
    ['node_filesystem_avail_bytes{job="x"} < 5', 'node filesystem avail bytes job x 5'],
    ['UPS-on-battery', 'ups on battery'],
    ['été NFS', 't nfs'],
    ['', ''],
  ])('cuts %j', (text, words) => {
    expect(splitWords(text).join(' ')).toBe(words);
  });

  it('finds only lower-case letters and digits, all of them, in any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const kept = text.replace(/[^A-Za-z0-9]/g, '').toLowerCase();
        expect(splitWords(text).join('')).toBe(kept);
      }),
    );
  });
});

describe('simplifyWord', () => {
  it.each([
    ['pods', 'pod'],
    ['pvcs', 'pvc'],
    ['loss', 'loss'],
    ['sonarr', 'arr'],
    ['couchdb4xx', 'couchdb'],
    ['p95', 'p95'],
    ['disk', 'disk'],
  ])('turns %s into %s', (word, simple) => {
    expect(simplifyWord(word)).toBe(simple);
  });
});
