// Which browser this is, under the names that pages in the field call.

/** iPhone, iPod, or iPad (which calls itself a Macintosh). */
export function H5siOS(): boolean {
  const { userAgent, maxTouchPoints } = navigator;
  return /iPhone|iPad|iPod/.test(userAgent) || (userAgent.includes('Macintosh') && maxTouchPoints > 1);
}

export function H5sSafariBrowser(): boolean {
  const { userAgent } = navigator;
  return userAgent.includes('Safari/') && !/Chrom(e|ium)\/|Android|Edg\//.test(userAgent);
}
