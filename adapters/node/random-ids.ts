/** Identities that nobody can guess. */
import { randomInt, randomUUID } from 'node:crypto';
import { NAME_ALPHABET } from '../../shared/api/hash.ts';
import type { Ids } from '../../shared/ports/ids.ts';

export class RandomIds implements Ids {
  uid(): string {
    return randomUUID();
  }

  suffix(length: number): string {
    const characters = Array.from({ length }, () => NAME_ALPHABET[randomInt(NAME_ALPHABET.length)]);
    return characters.join('');
  }
}
