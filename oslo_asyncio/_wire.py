# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""What a worker and its supervisor say to each other.

One datagram each, on a SOCK_SEQPACKET pair: it keeps borders and order, and its
end means that the other side has died.  Beats end in the memory that the worker
uses, in bytes.
"""

# from the worker
READY = b"ready"
BEAT = b"beat "
LEAVING = b"leaving"

# to the worker
HURRY = b"hurry"
MUTATE = b"mutate"

#: longer than any of them
LONGEST = 64
