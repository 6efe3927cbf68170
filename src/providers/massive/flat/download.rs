//! Downloads: a file of the bucket as a reader, which survives breaks of the connection.
//!
//! Whoever reads sees every byte of one version of the file once:
//!
//! ```text
//! GET                            bytes 0 … 41 000, connection reset
//! GET from 41 000, if ETag same  206: bytes 41 000 … end
//!                                200, same ETag: the server knows no parts; 41 000 bytes are passed over
//!                                412, or another ETag: Reissued, and the reader has to begin again
//! ```

use std::io::{self, ErrorKind, Read};

use ureq::BodyReader;

use super::object::Object;
use super::patience::Patience;
use super::reply::{self, Refusal};
use super::s3::{Call, FlatFiles};
use super::s3_error::S3Error;

/// After so many bytes without a break the server has earned new patience.
const PROGRESS: u64 = 1 << 20;

/// The bytes of one version of a file. Errors of reading hold an [`S3Error`].
pub struct Download {
    files: FlatFiles,
    object: Object,
    /// The file as messages name it.
    name: String,
    body: Option<BodyReader<'static>>,
    /// Bytes that were handed out.
    at: u64,
    /// Bytes to come that were handed out before.
    repeated: u64,
    since_break: u64,
    patience: Patience,
}

impl Download {
    pub(super) fn begin(files: FlatFiles, key: &str) -> Result<Download, S3Error> {
        let name = files.name(key);
        let mut patience = files.patience();
        let response = loop {
            match files.send(Call::Get(None), key) {
                Ok(response) => break response,
                Err(refusal) => patience.wait(&files, &name, refusal)?,
            }
        };
        let object = Object::of(key, &name, &response)?;
        Ok(Download {
            object,
            name,
            body: Some(response.into_body().into_reader()),
            at: 0,
            repeated: 0,
            since_break: 0,
            patience,
            files,
        })
    }

    /// The version that is being read.
    pub fn object(&self) -> &Object {
        &self.object
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, S3Error> {
        loop {
            self.files.check_stop(&self.name)?;
            let Some(body) = &mut self.body else {
                match self.resume() {
                    Ok(()) => continue,
                    Err(Refusal::Changed { got }) => return Err(self.reissued(got)),
                    Err(refusal) => self.patience.wait(&self.files, &self.name, refusal)?,
                }
                continue;
            };
            let room = match self.repeated {
                0 => buffer.len(),
                repeated => buffer.len().min(repeated.try_into().unwrap_or(usize::MAX)),
            };
            let broken = match body.read(&mut buffer[..room]) {
                Ok(0) if self.at_end() => return Ok(0),
                Ok(0) => Refusal::again("it ended early"),
                Ok(read) => {
                    self.files.count_bytes(read);
                    if self.repeated > 0 {
                        self.repeated -= read as u64;
                        continue;
                    }
                    self.at += read as u64;
                    self.since_break += read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => reply::of_error(&error.into()),
            };
            self.body = None;
            if self.since_break >= PROGRESS {
                self.patience = self.files.patience();
            }
            self.since_break = 0;
            self.patience.wait(&self.files, &self.name, broken)?;
        }
    }

    /// Whether an end of the body may be the end of the file. Of a file whose length is not known,
    /// the checksum at its end has to tell.
    fn at_end(&self) -> bool {
        self.repeated == 0 && self.object.size.is_none_or(|size| size == self.at)
    }

    /// Asks for what is missing.
    fn resume(&mut self) -> Result<(), Refusal> {
        let Object { key, etag, size } = &self.object;
        // Without a length the bytes may not be those the server counts.
        let part = size.map(|_| (self.at, Some(etag.as_str())));
        let response = self.files.send(Call::Get(part), key)?;
        let found = Object::of(key, &self.name, &response).map_err(Refusal::Final)?;
        if found.etag != *etag {
            return Err(Refusal::Changed { got: found.etag });
        }
        let begins_at = match response.status().as_u16() {
            206 => reply::content_range(response.headers()).map(|(first, _)| first),
            _ => Some(0),
        };
        self.repeated = match begins_at {
            Some(0) => self.at,
            Some(first) if first == self.at => 0,
            _ => return Err(Refusal::again("it sent another part than asked for")),
        };
        self.body = Some(response.into_body().into_reader());
        Ok(())
    }

    fn reissued(&self, got: String) -> S3Error {
        S3Error::Reissued {
            object: self.name.clone(),
            expected: self.object.etag.clone(),
            got,
        }
    }
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.read_some(buffer).map_err(S3Error::into_io)
    }
}
