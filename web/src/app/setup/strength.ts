// How good a password looks, for a hint only: the device itself refuses what everybody tries first.

/** 0 (too short) to 4. */
export function strength(password: string): 0 | 1 | 2 | 3 | 4 {
  const length = [...password].length;
  if (length < 8) return 0;
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/].filter((kind) => kind.test(password)).length;
  const different = new Set(password).size;
  if (different < 5 || (kinds === 1 && length < 12)) return 1;
  if (length >= 16 && different >= 8) return 4;
  return length >= 12 || kinds >= 3 ? 3 : 2;
}
