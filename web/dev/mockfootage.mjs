// What is recorded, for the mock server: a made-up day like every other, so that the playback page has something to show.
const DAY = 86_400_000;
const MINUTE = 60_000;
const FILE = 10 * MINUTE;
/** Hours of the day: scheduled recording, with a gap at noon; some by hand; some by alarm. */
const SPANS = [
  ['H5_REC_SCHEDULE', 6, 11.7], ['H5_REC_SCHEDULE', 12.6, 22],
  ['H5_REC_MANUAL', 9.2, 9.45], ['H5_REC_MANUAL', 15, 15.6],
  ['H5_REC_ALARM', 2.31, 2.34], ['H5_REC_ALARM', 10.5, 10.53], ['H5_REC_ALARM', 18.02, 18.1], ['H5_REC_ALARM', 23.4, 23.43],
];

const exportsMade = new Map();
const locked = new Set();
const deleted = new Set();

/** All that begins within the span and has begun. */
function footage({ token, type, start, end }) {
  const [from, to] = [Date.parse(start), Date.parse(end)];
  if (!(to >= from)) return { bStatus: false, strCode: 'parameter end: it lies before start' };
  const midnight = new Date(from).setHours(0, 0, 0, 0);
  const all = type === 'snapshot' ? snapshots(midnight) : recordings(midnight);
  const record = all
    .filter(({ at, lasts }) => at < Math.min(to, Date.now()) && at + lasts > from)
    .map((one) => entry(token, type, one))
    .filter(({ strPath }) => !deleted.has(strPath))
    .sort((one, other) => one.strStartTime.localeCompare(other.strStartTime));
  return { record, bMore: false };
}

function recordings(midnight) {
  return SPANS.flatMap(([nType, begin, end]) => {
    const files = [];
    for (let at = begin * 60 * MINUTE; at < end * 60 * MINUTE; at += FILE) {
      files.push({ nType, at: midnight + at, lasts: Math.min(FILE, end * 60 * MINUTE - at) });
    }
    return files;
  });
}

const snapshots = (midnight) => [7, 8, 9.3, 13, 14.2, 15.1, 16, 17.5].map((hour) => ({ nType: 'H5_REC_MANUAL', at: midnight + hour * 60 * MINUTE, lasts: 1 }));

function entry(token, type, { nType, at, lasts }) {
  const running = at + lasts > Date.now();
  const seconds = Math.round(Math.min(lasts, Date.now() - at) / 1000);
  const strPath = `/mediastore/${type}/${token}/${at}.${type === 'record' ? 'mp4' : 'jpg'}`;
  return {
    strToken: token, strStartTime: new Date(at).toISOString(), strDuration: running ? '0' : String(seconds), strPath, strUrl: strPath,
    strEndTime: new Date(at + seconds * 1000).toISOString(), nType, nBytes: seconds * 250_000, bLocked: locked.has(strPath),
    bAvailable: true, ...(running ? { nDurationNow: seconds } : {}),
  };
}

const ok = (strCode) => ({ bStatus: true, strCode });

export const footageCalls = {
  Search: footage,
  SearchDeviceRecordCalendar: ({ year, month }) => ({
    record: Array.from({ length: new Date(year, month, 0).getDate() }, (_, index) => {
      const day = new Date(year, month - 1, index + 1).getTime();
      return { nDay: index + 1, bHasRec: day < Date.now() && day > Date.now() - 20 * DAY && index % 6 !== 4 };
    }),
  }),
  LockRecord: ({ path, lock }) => {
    if (lock === 'false') locked.delete(path);
    else locked.add(path);
    return ok('Lock successfully');
  },
  DelRecord: ({ path }) => {
    deleted.add(path);
    return ok('Delete successfully');
  },
  Archive: ({ token }) => {
    const strFileName = `${token}-${Date.now()}.mp4`;
    exportsMade.set(strFileName, Date.now());
    return { ...ok('Archive successfully'), strFileName, strUrl: `/mediastore/export/${strFileName}` };
  },
  GetArchiveStatus: ({ filename }) => {
    const percent = Math.min(100, (Date.now() - exportsMade.get(filename)) / 80);
    return { ...ok(''), nPercentage: Math.floor(percent), strState: percent < 100 ? 'working' : 'done' };
  },
  GetArchiveList: ({ token }) => ({
    archive: [...exportsMade.keys()].filter((name) => name.startsWith(`${token}-`)).map((strFileName) => ({ strFileName, strUrl: `/mediastore/export/${strFileName}` })),
  }),
  DelArchive: () => ok('Delete successfully'),
  Snapshot: ({ token }) => ({ ...ok('Snapshot successfully'), strUrl: `/mediastore/snapshot/${token}/${Date.now()}.jpg` }),
};
