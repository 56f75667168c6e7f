// One source plays in Chromium: node source.mjs TOKEN STREAM, STREAM being `main` or `sub`. Prints the size of its
// picture once that moves. For the tests in Rust; H5EDGE_URL and the like as support.mjs says.
import { browser, login, players, untilMoves, untilPlaying, watch } from './support.mjs';

const [token, stream] = process.argv.slice(2);
const closing = [];
const context = await browser({ after: (close) => closing.push(close) });
try {
  const player = { ...players[0], query: { stream } };
  const { page } = await watch(context, player, await login(), token);
  await untilPlaying(page, 60);
  await untilMoves(page);
  const size = await page.evaluate(() => {
    const { videoWidth, videoHeight } = document.querySelector('video');
    return { width: videoWidth, height: videoHeight };
  });
  console.log(JSON.stringify(size));
} finally {
  for (const close of closing) await close();
}
