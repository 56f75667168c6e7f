// Changing a source in place: its token, recordings, schedule and rights stay.

import { useState } from 'preact/hooks';
import { call } from '../call';
import { Button, Dialog, Field, Form, tell, type Values } from '../kit';
import { nameOf, type Source } from '../state';
import { t } from '../text';
import { changesOf } from './changes';
import { LoginFields, OnvifFields, PullFields, StreamFields, SubField } from './fields';
import { TestBox } from './testing';

interface EditProps {
  source: Source;
  onClose: () => void;
  onDelete: () => void;
}

export function Edit({ source: now, onClose, onDelete }: EditProps) {
  // What the server tells while people type must not change the fields under their hands.
  const [source] = useState(now);
  const save = async (values: Values) => {
    const changes = changesOf(source, values);
    if (Object.keys(changes).length > 0) {
      await call('UpdateSrc', { token: source.strToken, ...changes });
      tell(t('sources.saved', { name: values['name'] || nameOf(source) }));
    }
    onClose();
  };
  return (
    <Dialog title={t('sources.edit_one', { name: nameOf(source) })} wide onClose={onClose}>
      <Form
        onSend={save}
        send={t('sources.save')}
        onCancel={onClose}
        more={
          <Button kind="quiet" class="danger" icon="delete" onPress={onDelete}>
            {t('sources.delete')}
          </Button>
        }
      >
        <div class="pair">
          <Field label={t('sources.name')} name="name" required maxLength={200} defaultValue={source.strName} />
          <Field label={t('sources.token')} name="kept" defaultValue={source.strToken} disabled hint={t('sources.token_kept')} />
        </div>
        <Kind source={source} />
      </Form>
    </Dialog>
  );
}

/** The fields that a source of this kind has. */
function Kind({ source }: { source: Source }) {
  // What is not changed is the server's to know, passwords above all.
  const test = (values: Values) => {
    const { name, audio, connect, ...changes } = changesOf(source, values);
    return { token: source.strToken, ...changes };
  };
  switch (source.nType) {
    case 'H5_STREAM':
      return (
        <>
          <StreamFields source={source} stored />
          <TestBox params={test} />
          <SubField source={source} />
          <PullFields source={source} />
        </>
      );
    case 'H5_ONVIF':
      return (
        <>
          <OnvifFields source={source} />
          <LoginFields source={source} stored />
          <TestBox params={test} />
          <PullFields source={source} />
        </>
      );
    case 'H5_FILE':
      return (
        <>
          <Field label={t('sources.path')} name="url" required maxLength={2048} defaultValue={source.strUrl} hint={t('sources.path_hint')} />
          <TestBox params={test} />
          <PullFields source={source} file />
        </>
      );
    default:
      return null;
  }
}
