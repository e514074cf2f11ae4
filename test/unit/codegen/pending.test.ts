import { expect } from 'chai';
import { faultsOfPending } from '../../../codegen/pending.ts';

describe('the list of pending operations', () => {
  const ids = ['getNote', 'listNotes', 'createNote'];

  it('may shrink', () => {
    expect(faultsOfPending(['getNote'], ids, ['getNote', 'listNotes'])).to.deep.equal([]);
    expect(faultsOfPending([], ids, [])).to.deep.equal([]);
  });

  it('may be anything before the first release', () => {
    expect(faultsOfPending(['getNote', 'listNotes'], ids, null)).to.deep.equal([]);
  });

  it('may not grow', () => {
    expect(faultsOfPending(['getNote', 'createNote'], ids, ['getNote'])).to.deep.equal(['createNote became pending: the list only shrinks']);
  });

  it('names nothing that the contract does not have, and nothing twice', () => {
    expect(faultsOfPending(['getNotes'], ids, null)).to.deep.equal(['getNotes is pending and not in the contract']);
    expect(faultsOfPending(['getNote', 'getNote'], ids, null)).to.deep.equal(['getNote is pending twice']);
  });
});
