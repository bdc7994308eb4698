/** Arrays of numbers that grow with what they are about. */

type Numbers = Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** The array itself if it is long enough; else one at least twice as long, with its content. */
export function grown<A extends Numbers>(array: A, length: number): A {
  if (array.length >= length) return array;
  const Kind = array.constructor as new (length: number) => A;
  const next = new Kind(Math.max(length, 2 * array.length));
  next.set(array);
  return next;
}
