// An upload that says how far it is, which fetch does not.

import { ApiError, refusal, type Refused } from '../call';
import { readSession } from '../session';
import { t } from '../text';

/** What the server takes at most. */
const MOST = 512 * 2 ** 20;

/** Sends an update; throws the server's words. `abort` gives it up. */
export function uploadUpdate(file: File, progress: (percent: number) => void, abort: AbortSignal): Promise<void> {
  if (file.size === 0) return Promise.reject(new Error(t('system.file_empty')));
  if (file.size > MOST) return Promise.reject(new Error(t('system.file_large', { n: MOST / 2 ** 20 })));
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open('POST', 'api/v1/UploadUpdate');
    request.setRequestHeader('Authorization', `token ${readSession()}`);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = ({ loaded, total }) => progress((loaded / total) * 100);
    request.onerror = () => fail(new ApiError(t('system.upload_broken'), false));
    request.onabort = () => fail(new DOMException('given up', 'AbortError'));
    request.onload = () => {
      const answer = parse(request.responseText);
      if (request.status === 200 && answer.bStatus === true) done();
      else fail(refusal(request.status, answer));
    };
    abort.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}

function parse(text: string): Refused {
  try {
    return JSON.parse(text) as Refused;
  } catch {
    return {};
  }
}
