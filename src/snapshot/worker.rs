//! The child: reads key frames from stdin, writes JPEGs to stdout, one after the other, on its main
//! thread. It does with the elements that it is told, knows no deadlines and decides nothing: the daemon
//! kills it when it hangs. It ends with its stdin, and is killed with the daemon.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;

use gstreamer as gst;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

use super::protocol::{ANSWER_HEAD, AnswerHead, REQUEST_HEAD, RequestHead, Status};
use super::{decode, encode, inventory};
use crate::base::{Error, Result};

/// How far the child stands back behind the daemon's own work (`nice(2)`).
const NICE: i32 = 5;

/// Entry of `h5edge snapshot-worker`; ends the process.
pub fn worker_main() -> ! {
    let code = match serve() {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error}");
            1
        }
    };
    std::process::exit(code)
}

fn serve() -> Result<()> {
    set_pdeathsig(Signal::SIGKILL).map_err(std::io::Error::from)?;
    // SAFETY: changes this process's priority and touches no memory. That it fails does no harm.
    unsafe { nix::libc::nice(NICE) };
    let mut output = take_stdout()?;
    gst::init().map_err(|error| Error::internal(error.to_string()))?;
    let inventory = inventory::look();
    inventory.load_software();
    answer(&mut output, Status::Ready, inventory.encode().as_bytes())?;
    let mut input = std::io::stdin().lock();
    while let Some(head) = read_head(&mut input)? {
        let head = RequestHead::decode(&head)?;
        let names = read(&mut input, head.names)?;
        let config = read(&mut input, head.config)?;
        let unit = read(&mut input, head.unit)?;
        if let Err(error) = picture(head, &names, config, unit, &mut output) {
            answer(&mut output, Status::Failed, error.to_string().as_bytes())?;
        }
    }
    Ok(())
}

/// Answers one request, and says when the first half is done. The decoder is closed after the answer:
/// should that hang, then at no cost to this picture.
fn picture(
    head: RequestHead,
    names: &[u8],
    config: Vec<u8>,
    unit: Vec<u8>,
    output: &mut impl Write,
) -> Result<()> {
    let names = std::str::from_utf8(names).ok().and_then(|names| names.split_once('\n'));
    let (decoder, encoder) = names.ok_or_else(|| Error::bad_input("names: not two"))?;
    let decoded = decode::decode(head.codec, decoder, config, unit, head.size)?;
    answer(output, Status::Decoded, &[])?;
    let jpeg = encode::jpeg(encoder, &decoded.sample, head.width)?;
    answer(output, Status::Picture, &jpeg)
}

/// Takes stdout for the answers; what libraries print goes to stderr from now on.
fn take_stdout() -> Result<std::fs::File> {
    let own = std::io::stdout().as_fd().try_clone_to_owned()?;
    nix::unistd::dup2_stdout(std::io::stderr().as_fd()).map_err(std::io::Error::from)?;
    Ok(own.into())
}

/// The next request's head; `None` at the end of the input.
fn read_head(input: &mut impl Read) -> Result<Option<[u8; REQUEST_HEAD]>> {
    let mut head = [0; REQUEST_HEAD];
    match input.read_exact(&mut head) {
        Ok(()) => Ok(Some(head)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn read(input: &mut impl Read, length: usize) -> Result<Vec<u8>> {
    let mut data = vec![0; length];
    input.read_exact(&mut data)?;
    Ok(data)
}

fn answer(output: &mut impl Write, status: Status, body: &[u8]) -> Result<()> {
    let head: [u8; ANSWER_HEAD] = AnswerHead { status, length: body.len() }.encode();
    output.write_all(&head)?;
    output.write_all(body)?;
    Ok(output.flush()?)
}
