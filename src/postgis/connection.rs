//! One connection: questions with bound values, answers row by row, and a time after which they are stopped.

use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_void;
use std::ops::ControlFlow;
use std::os::fd::BorrowedFd;
use std::ptr;
use std::ptr::NonNull;
use std::time::Duration;
use std::time::Instant;

use pq_sys::ConnStatusType;
use pq_sys::ExecStatusType;
use pq_sys::PGconn;
use pq_sys::PGresult;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;

use crate::postgis::PostgisError;
use crate::postgis::Service;

/// libpq's own time to reach a server, where the service does not say another.
const CONNECT_SECONDS: &CStr = c"3";

/// The server stops a question itself; whoever hears nothing so long after that hangs up.
const GRACE: Duration = Duration::from_secs(1);

/// PostgreSQL sends 8 kB at a time, which it takes some 40 microseconds to fill: whoever wakes for each spends as much on
/// waking as on reading. A long answer is left to gather between two looks; a short one is read at once.
const GATHERING: Duration = Duration::from_micros(150);
const READS_AT_ONCE: u32 = 2;

/// The identifier of `PQresultErrorField` for SQLSTATE and for the primary message (libpq §34.3).
const DIAGNOSTIC_STATE: c_int = b'C' as c_int;
const DIAGNOSTIC_MESSAGE: c_int = b'M' as c_int;

/// What a session is before anything is asked: nothing is written, instants are UTC, texts of values are ISO's, functions are
/// PostGIS's own wherever it was installed, whatever the role's own settings say. Questions are small and many: no compiling,
/// no helpers (starting one costs more than a page), and pages of an index cost what they do on any disk without a head,
/// without which a box is looked for in the order of keys.
const SESSION: &str = "SELECT set_config('statement_timeout', $1, false), set_config('default_transaction_read_only', 'on', false), \
     set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO', false), set_config('IntervalStyle', 'iso_8601', false), \
     set_config('extra_float_digits', '1', false), set_config('jit', 'off', false), \
     set_config('max_parallel_workers_per_gather', '0', false), \
     set_config('random_page_cost', least(current_setting('random_page_cost')::float8, 1.1)::text, false), \
     set_config('search_path', coalesce((SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = \
     e.extnamespace WHERE e.extname = 'postgis'), ''), false)";

pub struct Connection {
    raw: NonNull<PGconn>,
    service: Service,
    /// How long a question may take.
    patience: Duration,
    /// Whether it waits for the next question.
    is_idle: bool,
    /// Statements that the server keeps, named by their place.
    prepared: Vec<CString>,
}

/// Shown each row of an answer; a break ends it.
type See<'a> = &'a mut dyn FnMut(Row<'_>) -> ControlFlow<()>;

/// Statements that a connection keeps: those of a dozen layers.
const PREPARED_MAX: usize = 100;

fn refused(state: &str, message: &str) -> PostgisError {
    PostgisError::Refused { state: state.to_owned(), message: message.to_owned() }
}

fn c_string(text: &str) -> Result<CString, PostgisError> {
    CString::new(text).map_err(|_| refused("22021", "un texte contient le signe U+0000"))
}

// SAFETY: libpq keeps nothing of a connection by thread; two threads never share one, because every call takes `&mut self`.
unsafe impl Send for Connection {}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the connection is ours, and is closed once.
        unsafe { pq_sys::PQfinish(self.raw.as_ptr()) }
    }
}

/// An answer of libpq's, cleared when it is dropped.
struct Answer(NonNull<PGresult>);

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: the result is ours, and is cleared once.
        unsafe { pq_sys::PQclear(self.0.as_ptr()) }
    }
}

/// One row of an answer, in PostgreSQL's binary form.
pub struct Row<'a>(&'a Answer);

impl Row<'_> {
    /// The bytes of a column; `None` for null.
    pub fn get(&self, column: usize) -> Option<&[u8]> {
        let answer = self.0.0.as_ptr();
        let column = c_int::try_from(column).ok()?;
        // SAFETY: the answer has one row; libpq gives null for a column that it does not have, and its bytes live as long as it.
        unsafe {
            if pq_sys::PQgetisnull(answer, 0, column) != 0 {
                return None;
            }
            let length = usize::try_from(pq_sys::PQgetlength(answer, 0, column)).ok()?;
            let value = pq_sys::PQgetvalue(answer, 0, column);
            (!value.is_null()).then(|| std::slice::from_raw_parts(value.cast::<u8>(), length))
        }
    }

    /// Of a column of text; `None` for null, and for what is no UTF-8.
    pub fn text(&self, column: usize) -> Option<&str> {
        std::str::from_utf8(self.get(column)?).ok()
    }

    /// Of a column of `int8`.
    pub fn whole(&self, column: usize) -> Option<i64> {
        Some(i64::from_be_bytes(self.get(column)?.try_into().ok()?))
    }

    /// The elements of a column that is an array without nulls; none for null.
    pub fn list(&self, column: usize) -> impl Iterator<Item = &[u8]> {
        // Dimensions, a flag, the type; length and lower bound of the one dimension; then each element behind its length.
        const HEAD: usize = 20;
        let mut rest = self.get(column).and_then(|bytes| bytes.get(HEAD..)).unwrap_or_default();
        std::iter::from_fn(move || {
            let (length, behind) = rest.split_first_chunk::<4>()?;
            let (element, behind) = behind.split_at_checked(usize::try_from(i32::from_be_bytes(*length)).ok()?)?;
            rest = behind;
            Some(element)
        })
    }

    /// Of a column of `bool`.
    pub fn truth(&self, column: usize) -> Option<bool> {
        self.get(column).map(|bytes| bytes == [1])
    }
}

unsafe extern "C" fn hush(_: *mut c_void, _: *const c_char) {}

impl Connection {
    /// `patience`: after so long a question is stopped, in the server and here.
    ///
    /// # Errors
    /// `Away`, with a reason that holds nothing of the service.
    pub fn open(service: &Service, patience: Duration) -> Result<Connection, PostgisError> {
        let away = |reason| PostgisError::Away { service: service.clone(), reason };
        let name = CString::new(service.0.as_str()).map_err(|_| away("a un nom impossible"))?;
        let mut words = vec![
            (c"connect_timeout", CONNECT_SECONDS),
            (c"fallback_application_name", c"bocage"),
            (c"client_encoding", c"UTF8"),
            // A network that went away is noticed within half a minute, also in the middle of a long answer.
            (c"keepalives_idle", c"10"),
            (c"keepalives_interval", c"5"),
            (c"keepalives_count", c"3"),
        ];
        if !service.0.is_empty() {
            words.push((c"service", &name));
        }
        let mut names: Vec<*const c_char> = words.iter().map(|(name, _)| name.as_ptr()).collect();
        let mut values: Vec<*const c_char> = words.iter().map(|(_, value)| value.as_ptr()).collect();
        names.push(ptr::null());
        values.push(ptr::null());
        // SAFETY: both lists end in null and live longer than the call; the connection is closed by `drop`.
        let (raw, is_open) = unsafe {
            let raw = NonNull::new(pq_sys::PQconnectdbParams(names.as_ptr(), values.as_ptr(), 0)).ok_or(away("manque de mémoire"))?;
            pq_sys::PQsetNoticeProcessor(raw.as_ptr(), Some(hush), ptr::null_mut());
            (raw, pq_sys::PQstatus(raw.as_ptr()) == ConnStatusType::CONNECTION_OK)
        };
        let mut connection = Connection { raw, service: service.clone(), patience, is_idle: true, prepared: Vec::new() };
        if !is_open {
            return Err(away(connection.why_closed()));
        }
        let patience = patience.as_millis().to_string();
        connection.query(SESSION, &[Some(&patience)], &mut |_| ControlFlow::Continue(()))?;
        Ok(connection)
    }

    /// Never libpq's own words: they name hosts and roles.
    fn why_closed(&self) -> &'static str {
        // SAFETY: the connection is live, and its message lives until the next call.
        let said = unsafe { CStr::from_ptr(pq_sys::PQerrorMessage(self.raw.as_ptr())) }.to_string_lossy().into_owned();
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if says(&["definition of service", "service file"]) {
            "n'est pas connue : son nom manque dans le fichier de services (PGSERVICEFILE, ou ~/.pg_service.conf)"
        } else if says(&["password", "mot de passe", "authentication", "authentification", "pg_hba"]) {
            "refuse ces identifiants : voyez le fichier de services et le fichier des mots de passe (PGPASSFILE, ou ~/.pgpass)"
        } else {
            "ne répond pas : est-elle démarrée, et joignable d'ici ? (« psql service=… » en dit plus)"
        }
    }

    pub fn is_idle(&self) -> bool {
        // SAFETY: the connection is live.
        self.is_idle && unsafe { pq_sys::PQstatus(self.raw.as_ptr()) } == ConnStatusType::CONNECTION_OK
    }

    fn lost(&mut self) -> PostgisError {
        self.is_idle = false;
        PostgisError::Away { service: self.service.clone(), reason: "a rompu la connexion" }
    }

    /// Asks one statement, with the texts of its values, and shows each row. A break ends the question, and the connection
    /// with it.
    ///
    /// # Errors
    /// `Away`, `TooLong`, `Refused`.
    pub fn query(&mut self, sql: &str, values: &[Option<&str>], see: See<'_>) -> Result<(), PostgisError> {
        self.ask(&c_string(sql)?, None, values, see)
    }

    /// The same of a statement that is asked again and again with other values: the server keeps it parsed and, where it finds
    /// that no worse, planned.
    ///
    /// # Errors
    /// As [`Connection::query`].
    pub fn query_often(&mut self, sql: &str, values: &[Option<&str>], see: See<'_>) -> Result<(), PostgisError> {
        let statement = c_string(sql)?;
        let known = self.prepared.iter().position(|known| *known == statement);
        let at = match known {
            Some(at) => at,
            None if self.prepared.len() == PREPARED_MAX => return self.ask(&statement, None, values, see),
            None => self.prepared.len(),
        };
        let name = c_string(&format!("bocage{at}"))?;
        if known.is_none() {
            // SAFETY: the texts live longer than the call, which copies them; types are inferred.
            let is_sent = unsafe { pq_sys::PQsendPrepare(self.raw.as_ptr(), name.as_ptr(), statement.as_ptr(), 0, ptr::null()) == 1 };
            self.answer(is_sent, &mut |_| ControlFlow::Continue(()))?;
            self.prepared.push(statement.clone());
        }
        self.ask(&statement, Some(&name), values, see)
    }

    /// `prepared`: the name under which the server knows the statement.
    fn ask(&mut self, statement: &CStr, prepared: Option<&CStr>, values: &[Option<&str>], see: See<'_>) -> Result<(), PostgisError> {
        let texts: Vec<Option<CString>> = values.iter().map(|value| value.map(c_string).transpose()).collect::<Result<_, _>>()?;
        let pointers: Vec<*const c_char> = texts.iter().map(|text| text.as_ref().map_or(ptr::null(), |text| text.as_ptr())).collect();
        let count = c_int::try_from(values.len()).map_err(|_| refused("54000", "trop de valeurs"))?;
        let (raw, values) = (self.raw.as_ptr(), pointers.as_ptr());
        // SAFETY: texts and pointers live longer than the calls, which copy them; null types and lengths are inferred; 1 asks
        // for binary answers.
        let is_sent = unsafe {
            match prepared {
                Some(name) => pq_sys::PQsendQueryPrepared(raw, name.as_ptr(), count, values, ptr::null(), ptr::null(), 1),
                None => pq_sys::PQsendQueryParams(raw, statement.as_ptr(), count, ptr::null(), values, ptr::null(), ptr::null(), 1),
            }
        };
        // SAFETY: the connection is live.
        let is_sent = is_sent == 1 && unsafe { pq_sys::PQsetSingleRowMode(raw) } == 1;
        self.answer(is_sent, see)
    }

    /// Shows the rows that answer what was sent.
    fn answer(&mut self, is_sent: bool, see: See<'_>) -> Result<(), PostgisError> {
        let deadline = Instant::now() + self.patience + GRACE;
        self.is_idle = false;
        if !is_sent {
            return Err(self.lost());
        }
        let mut fault = None;
        let mut reads = 0;
        while let Some(answer) = self.next_answer(deadline, &mut reads)? {
            // SAFETY: the answer is live.
            match unsafe { pq_sys::PQresultStatus(answer.0.as_ptr()) } {
                ExecStatusType::PGRES_SINGLE_TUPLE => {
                    if see(Row(&answer)).is_break() {
                        self.cancel();
                        return Ok(());
                    }
                }
                ExecStatusType::PGRES_TUPLES_OK | ExecStatusType::PGRES_COMMAND_OK => {}
                // The null answer that ends the question is still to be read.
                _ => fault = Some(self.fault_of(&answer)),
            }
        }
        self.is_idle = true;
        fault.map_or(Ok(()), Err)
    }

    fn fault_of(&self, answer: &Answer) -> PostgisError {
        let field = |which| {
            // SAFETY: the answer is live, and its texts live as long as it.
            let text = unsafe { pq_sys::PQresultErrorField(answer.0.as_ptr(), which) };
            if text.is_null() { String::new() } else { unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned() }
        };
        let state = field(DIAGNOSTIC_STATE);
        match state.get(..2) {
            _ if state == "57014" => PostgisError::TooLong { seconds: self.patience.as_secs() },
            // Connections (08), shutdown and start (57P), too many connections (53300), and no word at all.
            None | Some("08" | "57") => PostgisError::Away { service: self.service.clone(), reason: "s'arrête ou redémarre" },
            _ if state == "53300" => PostgisError::Away { service: self.service.clone(), reason: "n'a plus de connexion libre" },
            _ => PostgisError::Refused { state, message: field(DIAGNOSTIC_MESSAGE) },
        }
    }

    /// The next answer to the question, `None` behind the last. `reads`: of the socket, since the question.
    fn next_answer(&mut self, deadline: Instant, reads: &mut u32) -> Result<Option<Answer>, PostgisError> {
        // SAFETY: the connection is live.
        while unsafe { pq_sys::PQisBusy(self.raw.as_ptr()) } != 0 {
            *reads += 1;
            if *reads > READS_AT_ONCE {
                std::thread::sleep(GATHERING);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.cancel();
                return Err(PostgisError::Away { service: self.service.clone(), reason: "ne répond plus" });
            }
            // SAFETY: the connection is live, and its socket with it.
            let is_read = unsafe {
                let socket = pq_sys::PQsocket(self.raw.as_ptr());
                if socket < 0 {
                    return Err(self.lost());
                }
                let mut waiting = [PollFd::from_borrowed_fd(BorrowedFd::borrow_raw(socket), PollFlags::IN)];
                let left = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
                // What cannot be waited for cannot be read either.
                let _ = rustix::event::poll(&mut waiting, Some(&left));
                waiting[0].revents().is_empty() || pq_sys::PQconsumeInput(self.raw.as_ptr()) == 1
            };
            if !is_read {
                return Err(self.lost());
            }
        }
        // SAFETY: the connection is live; the answer is cleared by `drop`.
        Ok(NonNull::new(unsafe { pq_sys::PQgetResult(self.raw.as_ptr()) }).map(Answer))
    }

    /// Tells the server to stop; the connection is of no more use. On a thread of its own, because a server that hears nothing
    /// keeps whoever tells it waiting.
    fn cancel(&mut self) {
        self.is_idle = false;
        // SAFETY: the connection is live; what is made for cancelling needs it no more.
        let cancel = Cancel(unsafe { pq_sys::PQgetCancel(self.raw.as_ptr()) });
        std::thread::spawn(move || cancel.send());
    }
}

/// The address and the key by which a question is stopped.
struct Cancel(*mut pq_sys::PGcancel);

// SAFETY: libpq §34.7: a PGcancel may be used by another thread than its connection.
unsafe impl Send for Cancel {}

impl Cancel {
    fn send(self) {
        if self.0.is_null() {
            return;
        }
        let mut reason = [0; 256];
        // SAFETY: the buffer is as long as is said; what was made for cancelling is freed once, here.
        unsafe {
            pq_sys::PQcancel(self.0, reason.as_mut_ptr(), reason.len() as c_int);
            pq_sys::PQfreeCancel(self.0);
        }
    }
}
