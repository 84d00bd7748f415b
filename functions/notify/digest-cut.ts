/** Fits a digest into a channel's limit: what matters most is kept, and every cut is named. Pure. */
import type { DigestDocument, Line, Section } from '../../shared/digest/document.ts';
import { countOf } from '../../shared/digest/words.ts';

/** From what is cut last to what is cut first. */
const PRIORITY = [
  'attention',
  'summary',
  'breakdown',
  'missed',
  'actions',
  'patterns',
  'woke',
  'held',
  'changes',
  'compared',
  'returning',
  'new',
];

/** The sections with as many lines as fit into `room`, by `sizeOf`; a cut section says how many are missing. */
export function fitSections(
  { sections }: DigestDocument,
  room: number,
  sizeOf: (line: Line) => number,
): Section[] {
  const kept = new Map<string, readonly Line[]>();
  let left = room - sections.length * sizeOf(toMore(1_000_000));
  const rank = ({ id }: Section): number => (PRIORITY.includes(id) ? PRIORITY.indexOf(id) : PRIORITY.length);
  for (const section of sections.toSorted((a, b) => rank(a) - rank(b))) {
    const lines: Line[] = [];
    for (const line of section.lines) {
      const size = sizeOf(line);
      if (size > left) break;
      left -= size;
      lines.push(line);
    }
    const hidden = section.lines.length - lines.length;
    kept.set(section.id, hidden === 0 ? lines : [...lines, toMore(hidden)]);
  }
  return sections.map((section) => ({ ...section, lines: [...(kept.get(section.id) ?? [])] }));
}

function toMore(hidden: number): Line {
  return { text: `Cut here: ${countOf(hidden, 'further line')}; the console has all of them` };
}
