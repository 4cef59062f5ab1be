-- MIKEY of the IMS media plane for Wireshark: RFC 3830 with its extensions (RFC 4563, 4567, 4650,
-- 4738, 6267, 6509), all payloads of MIKEY-TICKET (RFC 6043) and those of 3GPP TR 33.829.
--
--   tshark -X lua_script:mikey.lua -r capture.pcap
--
-- One file, because Wireshark loads each of its scripts by itself.
--
-- It takes the place of Wireshark's own dissector on UDP port 2269, in SDP (a=key-mgmt:mikey) and for
-- bodies of type application/mikey; Decode As has it for other ports. What no registry has numbers
-- for is a preference (-o mikey_ims.code_point_conf:241).

-- Lua 5.1 and its successors have it in different places.
local unpack = table.unpack or unpack

local mikey = Proto("mikey_ims", "MIKEY of the IMS media plane")

-- Code points -----------------------------------------------------------------------------------

local DATA_TYPES = {
    [0] = "Pre-shared", [1] = "PSK ver msg", [2] = "Public key", [3] = "PK ver msg",
    [4] = "D-H init", [5] = "D-H resp", [6] = "Error", [7] = "DHHMAC init", [8] = "DHHMAC resp",
    [9] = "RSA-R I_MSG", [10] = "RSA-R R_MSG", [11] = "REQUEST_INIT_PSK",
    [12] = "REQUEST_INIT_PK", [13] = "REQUEST_RESP", [14] = "TRANSFER_INIT",
    [15] = "TRANSFER_RESP", [16] = "RESOLVE_INIT_PSK", [17] = "RESOLVE_INIT_PK",
    [18] = "RESOLVE_RESP", [19] = "REQUEST_KEY_PSK", [20] = "REQUEST_KEY_PKE",
    [21] = "REQUEST_KEY_RESP", [22] = "I_MESSAGE_1", [23] = "R_MESSAGE_1", [24] = "I_MESSAGE_2",
    [25] = "R_MESSAGE_2", [26] = "SAKKE msg",
}

local LAST, KEMAC, PKE, DH, SIGN, T, ID, CERT, CHASH, V, SP, RAND, ERR = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
local TR, IDR, RANDR, TP, TICKET, KEY_DATA, EXT = 13, 14, 15, 16, 17, 20, 21
local IBAKE, ESK, SK, ECCPT, SAKKE = 22, 23, 24, 25, 26

local PAYLOADS = {
    [LAST] = "Last payload", [KEMAC] = "KEMAC", [PKE] = "PKE", [DH] = "DH", [SIGN] = "SIGN",
    [T] = "T", [ID] = "ID", [CERT] = "CERT", [CHASH] = "CHASH", [V] = "V", [SP] = "SP",
    [RAND] = "RAND", [ERR] = "ERR", [TR] = "TR", [IDR] = "IDR", [RANDR] = "RANDR", [TP] = "TP",
    [TICKET] = "TICKET", [KEY_DATA] = "Key data", [EXT] = "General Ext.", [IBAKE] = "IBAKE",
    [ESK] = "ESK", [SK] = "SK", [ECCPT] = "ECCPT", [SAKKE] = "SAKKE",
}

local PRFS = { [0] = "MIKEY-1", [1] = "PRF-HMAC-SHA-256" }
local ENCR_ALGS = { [0] = "NULL", [1] = "AES-CM-128", [2] = "AES-KW-128", [3] = "AES-CM-256" }
local MAC_ALGS = { [0] = "NULL", [1] = "HMAC-SHA-1-160", [2] = "HMAC-SHA-256-256" }
local MAC_LENGTHS = { [0] = 0, [1] = 20, [2] = 32 }
local CACHES = { [0] = "No cache", [1] = "Cache", [2] = "Cache for CSB" }
local DH_GROUPS = { [0] = "OAKLEY 5", [1] = "OAKLEY 1", [2] = "OAKLEY 2" }
local DH_LENGTHS = { [0] = 192, [1] = 96, [2] = 128 }
local S_TYPES = { [0] = "RSA/PKCS#1/1.5", [1] = "RSA/PSS", [2] = "ECCSI" }
local HASHES = { [0] = "SHA-1", [1] = "MD5", [2] = "SHA-256" }
local HASH_LENGTHS = { [0] = 20, [1] = 16, [2] = 32 }
local MAP_TYPES = { [0] = "SRTP-ID", [1] = "Empty map", [2] = "GENERIC-ID" }
local TS_TYPES = { [0] = "NTP-UTC", [1] = "NTP", [2] = "COUNTER", [3] = "NTP-UTC-32" }
local TS_LENGTHS = { [0] = 8, [1] = 8, [2] = 4, [3] = 4 }
local TS_ROLES = {
    [1] = "Time of issue (TRi)", [2] = "Start of validity period (TRs)",
    [3] = "End of validity period (TRe)", [4] = "Rekeying interval (TRr)",
}
local ID_TYPES = { [0] = "NAI", [1] = "URI", [2] = "Byte string" }
local ID_ROLES = {
    [1] = "Initiator (IDRi)", [2] = "Responder (IDRr)", [3] = "KMS (IDRkms)",
    [4] = "Pre-Shared Key (IDRpsk)", [5] = "Application (IDRapp)",
    [6] = "Initiator's KMS (IDRkmsi)", [7] = "Responder's KMS (IDRkmsr)",
    [8] = "Hashed Initiator (IDRuidi)", [9] = "Hashed Responder (IDRuidr)",
}
local RAND_ROLES = {
    [1] = "Initiator (RANDRi)", [2] = "Responder (RANDRr)", [3] = "KMS (RANDRkms)",
}
local CERT_TYPES = {
    [0] = "X.509v3", [1] = "X.509v3 URL", [2] = "X.509v3 Sign", [3] = "X.509v3 Encr",
}
local ERRORS = {
    [0] = "Auth failure", [1] = "Invalid TS", [2] = "Invalid PRF", [3] = "Invalid MAC",
    [4] = "Invalid EA", [5] = "Invalid HA", [6] = "Invalid DH", [7] = "Invalid ID",
    [8] = "Invalid Cert", [9] = "Invalid SP", [10] = "Invalid SPpar", [11] = "Invalid DT",
    [12] = "Unspecified error", [13] = "Unsupported message type", [14] = "Invalid TICKET",
    [15] = "Invalid TPpar",
}
local KEY_TYPES = {
    [0] = "TGK", [1] = "TGK+SALT", [2] = "TEK", [3] = "TEK+SALT", [4] = "GTGK",
    [5] = "GTGK+SALT", [6] = "MPK", [7] = "K_PR",
}
local KEY_HAS_SALT = {
    [0] = false, [1] = true, [2] = false, [3] = true, [4] = false, [5] = true, [6] = false,
    [7] = false,
}
local KV_TYPES = { [0] = "Null", [1] = "SPI", [2] = "Interval" }
local SRTP_PARAMS = {
    [0] = "Encryption algorithm", [1] = "Session encr. key length",
    [2] = "Authentication algorithm", [3] = "Session auth. key length",
    [4] = "Session salt key length", [5] = "SRTP Pseudo Random Function",
    [6] = "Key derivation rate", [7] = "SRTP encryption off/on", [8] = "SRTCP encryption off/on",
    [9] = "Sender's FEC order", [10] = "SRTP authentication off/on",
    [11] = "Authentication tag length", [12] = "SRTP prefix length",
    [13] = "ROC transmission rate", [14] = "SRTP Authentication algorithm",
    [15] = "SRTCP Authentication algorithm", [16] = "SRTP Session auth. key length",
    [17] = "SRTCP Session auth. key length", [18] = "SRTP Authentication tag length",
    [19] = "SRTCP Authentication tag length", [20] = "AEAD authentication tag length",
}
local TESLA_PARAMS = {
    [1] = "PRF identifier", [2] = "Length of PRF f' output", [3] = "Identifier for the MAC",
    [4] = "Length of MAC output", [5] = "Start of session", [6] = "Interval duration",
    [7] = "Key disclosure delay", [8] = "Key chain length",
    [9] = "Local timestamp media receiver",
}
local KEY_ID_TYPES = {
    [0] = "MBMS Key Domain ID", [1] = "MBMS Service Key ID", [2] = "MBMS Transport Key ID",
}
local OMA_SUBTYPES = { [1] = "LTKM", [2] = "STKM", [3] = "LTKM Reporting", [4] = "Parental Control" }
local EXT_VENDOR, EXT_SDP_IDS, EXT_KEY_ID, EXT_CSB_ID, EXT_OMA = 0, 1, 3, 4, 5
local EXTENSIONS = {
    [EXT_VENDOR] = "Vendor ID", [EXT_SDP_IDS] = "SDP IDs", [2] = "TESLA I-Key",
    [EXT_KEY_ID] = "Key ID", [EXT_CSB_ID] = "CSB_ID", [EXT_OMA] = "OMA BCAST",
    [6] = "SAKKE-to-self", [7] = "3GPP key parameters",
}
local CURVES = {
    [1] = "P-192", [2] = "B-163", [3] = "K-163", [4] = "sect163r1", [5] = "P-224", [6] = "B-233",
    [7] = "K-233", [8] = "P-256", [9] = "B-283", [10] = "K-283", [11] = "P-384", [12] = "B-409",
    [13] = "K-409", [14] = "P-521", [15] = "B-571", [16] = "K-571",
}
local COORDINATES = {
    [1] = 24, [2] = 21, [3] = 21, [4] = 21, [5] = 28, [6] = 30, [7] = 30, [8] = 32, [9] = 36,
    [10] = 36, [11] = 48, [12] = 52, [13] = 52, [14] = 66, [15] = 72, [16] = 72,
}
local TICKET_TYPES = { [1] = "MIKEY base ticket", [2] = "3GPP base ticket" }

local PROT_SRTP, PROT_TESLA = 0, 1

-- What 3GPP left to be registered (TR 33.829 annexes A, C, D and F).
local prefs = mikey.prefs
prefs.code_point_tls = Pref.uint("Prot Type TLS", 241, "TR 33.829 annex D; 241 to 255 are for private use")
prefs.code_point_psk_mime = Pref.uint("Prot Type PSK/MIME", 242, "TR 33.829 annex A")
prefs.code_point_application = Pref.uint("Prot Type Application Specific", 243, "TR 33.829 annex A")
prefs.code_point_conf = Pref.uint("Extension 3GPP IMS CONF", 241, "TR 33.829 annex C")
prefs.code_point_origin = Pref.uint("Extension 3GPP IMS MSG PROOF-OF-ORIGIN", 242, "TR 33.829 annex F")

local function prot_type_name(value)
    if value == PROT_SRTP then return "SRTP" end
    if value == PROT_TESLA then return "TESLA" end
    if value == prefs.code_point_tls then return "TLS" end
    if value == prefs.code_point_psk_mime then return "PSK/MIME" end
    if value == prefs.code_point_application then return "Application Specific" end
    return "unknown"
end

local function extension_name(value)
    if value == prefs.code_point_conf then return "3GPP IMS CONF" end
    if value == prefs.code_point_origin then return "3GPP IMS MSG PROOF-OF-ORIGIN" end
    return EXTENSIONS[value] or "unknown"
end

-- Fields ----------------------------------------------------------------------------------------

local fields = {}
local all_fields = {}

-- Adds the field mikey_ims.NAME.
local function field(kind, name, label, ...)
    local added = ProtoField[kind]("mikey_ims." .. name, label, ...)
    fields[name] = added
    all_fields[#all_fields + 1] = added
end

local function octet(name, label, names) field("uint8", name, label, base.DEC, names) end

field("none", "hdr", "HDR")
octet("version", "Version")
octet("data_type", "Data type", DATA_TYPES)
octet("next_payload", "Next payload", PAYLOADS)
field("bool", "v_flag", "V, a response is expected", 8, nil, 0x80)
field("uint8", "prf", "PRF func", base.DEC, PRFS, 0x7f)
field("uint32", "csb_id", "CSB ID", base.HEX)
octet("cs_count", "#CS")
octet("map_type", "CS ID map type", MAP_TYPES)
field("none", "cs", "Crypto session")
octet("cs.id", "CS ID")
octet("cs.policy_no", "Policy no")
octet("cs.prot_type", "Prot type")
field("bool", "cs.s_flag", "S, with ROC and SEQ", 8, nil, 0x80)
field("uint8", "cs.policy_count", "#P", base.DEC, nil, 0x7f)
field("bytes", "cs.policies", "Policies")
field("uint16", "cs.data_len", "Session Data length", base.DEC)
field("bytes", "cs.data", "Session Data")
field("uint32", "cs.ssrc", "SSRC", base.HEX)
field("uint32", "cs.roc", "ROC", base.DEC)
field("uint16", "cs.seq", "SEQ", base.DEC)
octet("cs.spi_len", "SPI length")
field("bytes", "cs.spi", "SPI")
for code, label in pairs(PAYLOADS) do
    if code ~= LAST then
        field("none", "payload." .. code, label)
    end
end
octet("encr_alg", "Encr alg", ENCR_ALGS)
field("uint16", "encr_data_len", "Encr data len", base.DEC)
field("bytes", "encr_data", "Encr data")
octet("mac_alg", "MAC alg", MAC_ALGS)
field("bytes", "mac", "MAC")
field("uint16", "pke.cache", "C", base.DEC, CACHES, 0xc000)
field("uint16", "pke.len", "Data len", base.DEC, nil, 0x3fff)
field("bytes", "pke.data", "Data")
octet("dh.group", "DH-Group", DH_GROUPS)
field("bytes", "dh.value", "DH-Value")
field("uint8", "reserved", "Reserved", base.HEX, nil, 0xf0)
field("uint8", "kv", "KV", base.DEC, KV_TYPES, 0x0f)
octet("kv.spi_len", "SPI length")
field("bytes", "kv.spi", "SPI")
octet("kv.from_len", "VF length")
field("bytes", "kv.from", "Valid from")
octet("kv.to_len", "VT length")
field("bytes", "kv.to", "Valid to")
field("uint16", "sign.type", "S type", base.DEC, S_TYPES, 0xf000)
field("uint16", "sign.len", "Signature len", base.DEC, nil, 0x0fff)
field("bytes", "sign.data", "Signature")
octet("ts.role", "TS role", TS_ROLES)
octet("ts.type", "TS type", TS_TYPES)
field("uint64", "ts.value64", "TS value", base.HEX)
field("uint32", "ts.value32", "TS value", base.DEC)
octet("id.role", "ID role", ID_ROLES)
octet("id.type", "ID type", ID_TYPES)
field("uint16", "id.len", "ID len", base.DEC)
field("string", "id.text", "ID data")
field("bytes", "id.octets", "ID data")
octet("cert.type", "Cert type", CERT_TYPES)
field("uint16", "cert.len", "Cert len", base.DEC)
field("bytes", "cert.data", "Cert")
octet("hash_func", "Hash func", HASHES)
field("bytes", "hash", "Hash")
octet("sp.policy_no", "Policy no")
octet("sp.prot_type", "Prot type")
field("uint16", "sp.len", "Policy param length", base.DEC)
octet("sp.param.type", "Type")
octet("sp.param.len", "Length")
field("bytes", "sp.param.value", "Value")
octet("rand.role", "RAND role", RAND_ROLES)
octet("rand.len", "RAND len")
field("bytes", "rand", "RAND")
octet("error_no", "Error no", ERRORS)
field("bytes", "error_reserved", "Reserved")
field("uint16", "tp.ticket_type", "Ticket Type", base.DEC, TICKET_TYPES)
octet("tp.subtype", "Subtype")
octet("tp.version", "Version")
field("uint24", "tp.prf", "PRF func", base.DEC, PRFS, 0xfe0000)
local FLAGS = {
    { "d", "D, made by the KMS" },
    { "e", "E, the KMS must resolve it" },
    { "f", "F, TRANSFER_RESP is sent" },
    { "g", "G, the Responder makes a RANDRr" },
    { "h", "H, RANDRi enters the keys" },
    { "i", "I, keys are forked" },
    { "j", "J, may be used again" },
    { "k", "K, the KMS changed what was asked for" },
    { "l", "L, the Initiator may supply keys" },
    { "m", "M, the Responder may supply keys" },
    { "n", "N, an Initiator of RFC 6043 can use it" },
    { "o", "O, a Responder of RFC 6043 can process it" },
}
for place, flag in ipairs(FLAGS) do
    field("bool", "tp.flag." .. flag[1], flag[2], 24, nil, 2 ^ (17 - place))
end
field("uint16", "tp.len", "TP data length", base.DEC)
field("none", "tp.data", "TP data")
field("uint16", "ticket.len", "Ticket Data length", base.DEC)
field("bytes", "ticket.data", "Ticket Data")
field("none", "ticket.base", "Ticket Data, a base ticket")
field("uint16", "ticket.thdr_len", "THDR Data length", base.DEC)
field("bytes", "ticket.thdr", "THDR Data")
field("uint16", "ticket.initiator_len", "Initiator Data length", base.DEC)
field("none", "ticket.initiator", "Initiator Data")
field("uint8", "key.type", "Type", base.DEC, KEY_TYPES, 0xf0)
field("uint16", "key.len", "Key data len", base.DEC)
field("bytes", "key", "Key data")
field("uint16", "key.salt_len", "Salt len", base.DEC)
field("bytes", "key.salt", "Salt data")
octet("ext.type", "Type")
field("uint16", "ext.len", "Length", base.DEC)
field("bytes", "ext.data", "Data")
field("string", "ext.sdp_ids", "SDP IDs")
field("uint32", "ext.csb_id", "CSB ID", base.HEX)
octet("ext.key_id_type", "Key ID type", KEY_ID_TYPES)
octet("ext.key_id_len", "Key ID len")
field("bytes", "ext.key_id", "Key ID")
octet("ext.oma_subtype", "Subtype", OMA_SUBTYPES)
field("none", "ext.conf", "3GPP IMS CONF Data")
field("bytes", "ext.origin", "Proof of origin")
octet("curve", "ECC Curve", CURVES)
field("bytes", "point", "ECC Point")
field("bytes", "padding", "Padding")
field("uint16", "tgk_len", "TGK len", base.DEC)
octet("sakke.params", "SAKKE params")
octet("sakke.id_scheme", "ID scheme")
field("uint16", "sakke.len", "SAKKE data length", base.DEC)
field("bytes", "sakke.data", "SAKKE data")
mikey.fields = all_fields

local malformed = ProtoExpert.new("mikey_ims.malformed", "Malformed MIKEY message",
    expert.group.MALFORMED, expert.severity.ERROR)
local insecure = ProtoExpert.new("mikey_ims.insecure", "MIKEY leaves something open",
    expert.group.SECURITY, expert.severity.WARN)
local contradiction = ProtoExpert.new("mikey_ims.contradiction", "MIKEY contradicts itself",
    expert.group.PROTOCOL, expert.severity.WARN)
mikey.experts = { malformed, insecure, contradiction }

-- Walking over octets ---------------------------------------------------------------------------

-- From octet `at` of a message up to `stop`, filling `tree`; `message` is what is known of the whole.
local Walk = {}
Walk.__index = Walk

local function walk(tvb, at, stop, tree, message)
    local new = { tvb = tvb, at = at, stop = stop, tree = tree, message = message }
    return setmetatable(new, Walk)
end

-- Ends the walk; the message is malformed.
function Walk:fail(text)
    error({ tree = self.tree, text = text .. ", at octet " .. self.at }, 0)
end

function Walk:left() return self.stop - self.at end

-- The next `len` octets.
function Walk:range(len)
    if len > self:left() then
        self:fail("ends too early")
    end
    local range = self.tvb(self.at, len)
    self.at = self.at + len
    return range
end

-- Shows the next `len` octets as the field `name`, several as bits of the same octets; none are not
-- shown.
function Walk:show(len, name, ...)
    if len == 0 then return nil end
    local range = self:range(len)
    local item = self.tree:add(fields[name], range)
    for _, other in ipairs({ ... }) do
        self.tree:add(fields[other], range)
    end
    return range, item
end

-- As show, for a number.
function Walk:number(len, name, ...)
    local range, item = self:show(len, name, ...)
    return range:uint(), item
end

-- A walk over the next `len` octets, in a tree of their own.
function Walk:within(len, name)
    local start = self.at
    local range = self:range(len)
    local item = self.tree:add(fields[name], range)
    return walk(self.tvb, start, start + len, item, self.message)
end

-- A tree for what follows, whose length is not known yet; `close` sets it.
function Walk:open(name)
    local item = self.tree:add(fields[name], self.tvb(self.at))
    return walk(self.tvb, self.at, self.stop, item, self.message), self.at
end

function Walk:close(inner, start)
    inner.tree:set_len(inner.at - start)
    self.at = inner.at
end

function Walk:finish()
    if self:left() > 0 then self:fail("octets are left over") end
end

-- Which payloads stand where: keys never in the clear, and nothing that holds payloads within another.
local FORBIDDEN = {
    message = { KEY_DATA, SK, ECCPT },
    policy = { KEY_DATA, SK, ECCPT, SIGN, TP, TICKET },
    granted = { KEY_DATA, SK, ECCPT, SIGN, TP, TICKET, KEMAC },
    ticket = { KEY_DATA, SK, ECCPT, SIGN, TP, TICKET },
    encrypted = { KEMAC, PKE, SIGN, TP, TICKET },
}

local function allowed(context, code)
    if context == "conference" then return code == ID end
    for _, forbidden in ipairs(FORBIDDEN[context]) do
        if code == forbidden then return false end
    end
    return true
end

-- Payloads -------------------------------------------------------------------------------------

local MAX_PAYLOADS = 1024

local dissect = {}

-- The payloads from `first` on, to the one that names none.
function Walk:chain(first, context)
    local next_payload = first
    local count = 0
    while next_payload ~= LAST do
        count = count + 1
        if count > MAX_PAYLOADS then self:fail("too many payloads") end
        if not PAYLOADS[next_payload] then
            self:fail("payload type " .. next_payload .. " is unknown")
        end
        if not allowed(context, next_payload) then
            self:fail("payload type " .. next_payload .. " must not stand here")
        end
        if self:left() == 0 then self:fail("ends too early") end
        local inner, start = self:open("payload." .. next_payload)
        local following = LAST
        if next_payload ~= SIGN then
            following = inner:number(1, "next_payload")
        end
        dissect[next_payload](inner, context)
        self:close(inner, start)
        next_payload = following
    end
end

-- A length of two octets, a Next payload field and payloads.
function Walk:chain_field(length_name, name, context)
    local len = self:number(2, length_name)
    if len > self:left() then self:fail("ends too early") end
    local inner = self:within(len, name)
    inner:chain(inner:number(1, "next_payload"), context)
    inner:finish()
end

function Walk:mac()
    local alg = self:number(1, "mac_alg")
    local len = MAC_LENGTHS[alg]
    if not len then self:fail("MAC algorithm " .. alg .. " is unknown, so its length is too") end
    self:show(len, "mac")
    return alg
end

function Walk:validity(kv)
    if kv == 1 then
        self:show(self:number(1, "kv.spi_len"), "kv.spi")
    elseif kv == 2 then
        self:show(self:number(1, "kv.from_len"), "kv.from")
        self:show(self:number(1, "kv.to_len"), "kv.to")
    elseif kv ~= 0 then
        self:fail("key validity " .. kv .. " is unknown, so its length is too")
    end
end

local NTP_TO_UNIX = 2208988800

function Walk:timestamp()
    local ts_type = self:number(1, "ts.type")
    local len = TS_LENGTHS[ts_type]
    if not len then self:fail("timestamp type " .. ts_type .. " is unknown, so its length is too") end
    local range, item = self:show(len, len == 8 and "ts.value64" or "ts.value32")
    local seconds = range(0, 4):uint() - NTP_TO_UNIX
    if ts_type ~= 2 and seconds >= 0 then
        item:append_text(" (" .. os.date("!%Y-%m-%d %H:%M:%S", seconds) .. " UTC)")
    end
end

function Walk:id()
    local id_type = self:number(1, "id.type")
    local len = self:number(2, "id.len")
    self:show(len, (id_type == 0 or id_type == 1) and "id.text" or "id.octets")
end

dissect[KEMAC] = function(w, context)
    local alg = w:number(1, "encr_alg")
    local len = w:number(2, "encr_data_len")
    if alg == 0 and len > 0 then
        local inner = w:within(len, "encr_data")
        -- A policy that is asked for has keys of zeros: it says what they are to be for.
        if context ~= "policy" then
            inner.tree:add_proto_expert_info(insecure, "NULL encryption: whoever sees this message has the keys")
        end
        inner:chain(KEY_DATA, "encrypted")
        inner:finish()
    else
        w:show(len, "encr_data")
    end
    -- In a ticket, and with a SIGN or V payload, something else covers it.
    if w:mac() == 0 and context == "message" then w.message.null_mac = true end
end

dissect[PKE] = function(w)
    local range = w:show(2, "pke.cache", "pke.len")
    w:show(range:bitfield(2, 14), "pke.data")
end

dissect[DH] = function(w)
    local group = w:number(1, "dh.group")
    local len = DH_LENGTHS[group]
    if not len then w:fail("group " .. group .. " is unknown, so its length is too") end
    w:show(len, "dh.value")
    local range = w:show(1, "reserved", "kv")
    w:validity(range:bitfield(4, 4))
end

dissect[SIGN] = function(w)
    w.message.covered = true
    local range = w:show(2, "sign.type", "sign.len")
    w:show(range:bitfield(4, 12), "sign.data")
end

dissect[T] = function(w) w:timestamp() end

dissect[ID] = function(w) w:id() end

dissect[CERT] = function(w)
    w:show(1, "cert.type")
    w:show(w:number(2, "cert.len"), "cert.data")
end

dissect[CHASH] = function(w)
    local hash = w:number(1, "hash_func")
    local len = HASH_LENGTHS[hash]
    if not len then w:fail("hash function " .. hash .. " is unknown, so its length is too") end
    w:show(len, "hash")
end

dissect[V] = function(w, context)
    if context == "message" then w.message.covered = true end
    if w:mac() == 0 then
        w.tree:add_proto_expert_info(insecure, "NULL MAC: nothing shows that this came from the peer")
    end
end

dissect[SP] = function(w)
    if w.message.map_type == 1 then
        w.tree:add_proto_expert_info(contradiction, "A Security Policy with the Empty map, which RFC 4563 forbids")
    end
    w:show(1, "sp.policy_no")
    local prot_type, item = w:number(1, "sp.prot_type")
    item:append_text(" (" .. prot_type_name(prot_type) .. ")")
    local len = w:number(2, "sp.len")
    if len > w:left() then w:fail("ends too early") end
    local params = walk(w.tvb, w.at, w.at + len, w.tree, w.message)
    local names = prot_type == PROT_SRTP and SRTP_PARAMS or prot_type == PROT_TESLA and TESLA_PARAMS or {}
    while params:left() > 0 do
        local param_type, param = params:number(1, "sp.param.type")
        param:append_text(" (" .. (names[param_type] or "unknown") .. ")")
        local range = params:show(params:number(1, "sp.param.len"), "sp.param.value")
        if prot_type == PROT_SRTP and param_type == 0 and range and range:len() == 1 and range:uint() == 0 then
            w.tree:add_proto_expert_info(insecure, "NULL cipher: media is not encrypted")
        end
    end
    w.at = params.at
end

dissect[RAND] = function(w) w:show(w:number(1, "rand.len"), "rand") end

dissect[ERR] = function(w)
    w:show(1, "error_no")
    w:show(2, "error_reserved")
end

dissect[TR] = function(w)
    w:show(1, "ts.role")
    w:timestamp()
end

dissect[IDR] = function(w)
    w:show(1, "id.role")
    w:id()
end

dissect[RANDR] = function(w)
    w:show(1, "rand.role")
    w:show(w:number(1, "rand.len"), "rand")
end

-- RFC 6043 §6.10: what the flags imply of one another.
local function contradicts(flag)
    if not flag.d and not flag.l then return "neither D nor L" end
    if flag.g and not flag.f then return "G without F" end
    if not flag.g and not flag.h then return "neither G nor H" end
    if flag.i and not flag.e then return "I without E" end
    if flag.k and not flag.d then return "K without D" end
    if flag.m and not flag.f then return "M without F" end
    return nil
end

function Walk:ticket_policy(context)
    local ticket_type = self:number(2, "tp.ticket_type")
    self:show(1, "tp.subtype")
    self:show(1, "tp.version")
    local names = {}
    for place, flag in ipairs(FLAGS) do names[place] = "tp.flag." .. flag[1] end
    local range = self:show(3, "tp.prf", unpack(names))
    local flag = {}
    for place, name in ipairs(FLAGS) do flag[name[1]] = range:bitfield(6 + place, 1) == 1 end
    local contradicted = contradicts(flag)
    if contradicted then
        self.tree:add_proto_expert_info(contradiction, "Flags contradict one another: " .. contradicted)
    end
    self:chain_field("tp.len", "tp.data", context)
    return ticket_type
end

dissect[TP] = function(w) w:ticket_policy("policy") end

-- A base ticket is looked into; the data of other tickets is the KMS's own.
local function base_ticket(w)
    local first = w:number(1, "next_payload")
    w:show(w:number(2, "ticket.thdr_len"), "ticket.thdr")
    w:chain(first, "ticket")
    w:finish()
end

dissect[TICKET] = function(w)
    local ticket_type = w:ticket_policy("granted")
    local len = w:number(2, "ticket.len")
    if len > 0 and TICKET_TYPES[ticket_type] then
        base_ticket(w:within(len, "ticket.base"))
    else
        w:show(len, "ticket.data")
    end
    if w:left() < 2 then w:fail("ends too early") end
    if w.tvb(w.at, 2):uint() == 0 then
        w:show(2, "ticket.initiator_len")
    else
        w:chain_field("ticket.initiator_len", "ticket.initiator", "ticket")
    end
end

dissect[KEY_DATA] = function(w)
    local range = w:show(1, "key.type", "kv")
    local key_type = range:bitfield(0, 4)
    local has_salt = KEY_HAS_SALT[key_type]
    if has_salt == nil then w:fail("key type " .. key_type .. " is unknown") end
    w:show(w:number(2, "key.len"), "key")
    if has_salt then
        w:show(w:number(2, "key.salt_len"), "key.salt")
    end
    w:validity(range:bitfield(4, 4))
end

dissect[EXT] = function(w)
    local code, item = w:number(1, "ext.type")
    item:append_text(" (" .. extension_name(code) .. ")")
    local len = w:number(2, "ext.len")
    if len > w:left() then w:fail("ends too early") end
    local data = walk(w.tvb, w.at, w.at + len, w.tree, w.message)
    if code == EXT_SDP_IDS then
        data:show(len, "ext.sdp_ids")
    elseif code == EXT_CSB_ID then
        data:show(4, "ext.csb_id")
    elseif code == EXT_KEY_ID then
        while data:left() > 0 do
            data:show(1, "ext.key_id_type")
            data:show(data:number(1, "ext.key_id_len"), "ext.key_id")
        end
    elseif code == EXT_OMA then
        data:show(1, "ext.oma_subtype")
        data:show(data:left(), "ext.data")
    elseif code == prefs.code_point_conf then
        if len > 0 then
            local inner = data:within(len, "ext.conf")
            inner:chain(ID, "conference")
            inner:finish()
        end
    elseif code == prefs.code_point_origin then
        data:show(len, "ext.origin")
    else
        data:show(len, "ext.data")
    end
    data:finish()
    w.at = data.at
end

local function encrypted_to_identity(w) w:show(w:number(2, "encr_data_len"), "encr_data") end

dissect[IBAKE] = encrypted_to_identity
dissect[ESK] = encrypted_to_identity

dissect[SK] = function(w)
    local range = w:show(1, "key.type", "kv")
    w:show(w:number(2, "key.len"), "key")
    w:validity(range:bitfield(4, 4))
end

dissect[ECCPT] = function(w)
    local curve = w:number(1, "curve")
    local coordinate = COORDINATES[curve]
    if not coordinate then w:fail("curve " .. curve .. " is unknown, so the length of its points is too") end
    if w:left() == 0 then w:fail("ends too early") end
    local form = w.tvb(w.at, 1):uint()
    local len
    if form == 2 or form == 3 then
        len = 1 + coordinate
    elseif form == 4 or form == 6 or form == 7 then
        len = 1 + 2 * coordinate
    else
        w:fail("not a point of a curve")
    end
    w:show(len, "point")
    w:show((-(2 + len)) % 4, "padding")
    w:show(1, "mac_alg")
    w:show(2, "tgk_len")
    local range = w:show(1, "reserved", "kv")
    w:validity(range:bitfield(4, 4))
end

dissect[SAKKE] = function(w)
    w:show(1, "sakke.params")
    w:show(1, "sakke.id_scheme")
    w:show(w:number(2, "sakke.len"), "sakke.data")
end

-- The message -----------------------------------------------------------------------------------

local function srtp_id_map(w, count)
    for cs_id = 1, count do
        local inner = w:within(9, "cs")
        inner.tree:append_text(" " .. cs_id)
        inner:show(1, "cs.policy_no")
        inner:show(4, "cs.ssrc")
        inner:show(4, "cs.roc")
    end
end

local function generic_id_map(w, count)
    for _ = 1, count do
        local inner, start = w:open("cs")
        local cs_id = inner:number(1, "cs.id")
        inner.tree:append_text(" " .. cs_id)
        local prot_type, item = inner:number(1, "cs.prot_type")
        item:append_text(" (" .. prot_type_name(prot_type) .. ")")
        local range = inner:show(1, "cs.s_flag", "cs.policy_count")
        local s_flag = range:bitfield(0, 1)
        inner:show(range:bitfield(1, 7), "cs.policies")
        local len = inner:number(2, "cs.data_len")
        if prot_type ~= PROT_SRTP then
            inner:show(len, "cs.data")
        elseif len == 4 and s_flag == 0 then
            inner:show(4, "cs.ssrc")
        elseif len == 10 and s_flag == 1 then
            inner:show(4, "cs.ssrc")
            inner:show(4, "cs.roc")
            inner:show(2, "cs.seq")
        elseif len ~= 0 or s_flag == 1 then
            inner:fail("the length of the Session Data is not the one that S tells")
        end
        inner:show(inner:number(1, "cs.spi_len"), "cs.spi")
        w:close(inner, start)
    end
end

-- Returns the Data type, and the type of the first payload.
local function header(w)
    local version = w:number(1, "version")
    if version ~= 1 then w:fail("version " .. version .. " is unknown") end
    local data_type = w:number(1, "data_type")
    local first = w:number(1, "next_payload")
    w:show(1, "v_flag", "prf")
    w:show(4, "csb_id")
    local count = w:number(1, "cs_count")
    local map_type = w:number(1, "map_type")
    w.message.map_type = map_type
    if map_type == 0 then
        srtp_id_map(w, count)
    elseif map_type == 2 then
        generic_id_map(w, count)
    elseif map_type ~= 1 then
        w:fail("CS ID map type " .. map_type .. " is unknown, so its length is too")
    end
    return data_type, first
end

local function message(w, pinfo)
    local inner, start = w:open("hdr")
    local data_type, first = header(inner)
    w:close(inner, start)
    local name = DATA_TYPES[data_type] or ("Data type " .. data_type)
    w.tree:append_text(", " .. name)
    pinfo.cols.info:append(" MIKEY " .. name)
    w:chain(first, "message")
    w:finish()
    if w.message.null_mac and not w.message.covered then
        w.tree:add_proto_expert_info(insecure, "NULL MAC: nothing shows that this came from the peer")
    end
end

function mikey.dissector(tvb, pinfo, tree)
    local len = tvb:len()
    if len == 0 then return 0 end
    local item = tree:add(mikey, tvb())
    if pinfo.dst_port == 2269 or pinfo.src_port == 2269 then
        pinfo.cols.protocol = "MIKEY"
    end
    local ok, failure = pcall(message, walk(tvb, 0, len, item, {}), pinfo)
    if not ok then
        -- A failure of the message is a table; another one is a defect of this script.
        if type(failure) ~= "table" then error(failure, 0) end
        failure.tree:add_proto_expert_info(malformed, "MIKEY: " .. failure.text)
    end
    return len
end

DissectorTable.get("udp.port"):add(2269, mikey)
DissectorTable.get("udp.port"):add_for_decode_as(mikey)
DissectorTable.get("media_type"):add("application/mikey", mikey)
DissectorTable.get("key_mgmt"):add("mikey", mikey)
